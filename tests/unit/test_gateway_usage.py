from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.events import Usage
from core.providers.wire_usage import usage_event


def test_openai_details_are_parts_of_the_totals():
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 300,
        "total_tokens": 1300,
        "prompt_tokens_details": {"cached_tokens": 900, "image_tokens": 50},
        "completion_tokens_details": {"reasoning_tokens": 200},
    }

    assert usage_event(usage) == Usage(
        input_tokens=1000, output_tokens=300, cached_input_tokens=900, reasoning_tokens=200, image_tokens=50
    )


def test_reasoning_beside_the_total_is_added():
    """xAI counts reasoning beside completion_tokens; its total_tokens shows it."""
    usage = {
        "prompt_tokens": 32,
        "completion_tokens": 9,
        "total_tokens": 135,
        "completion_tokens_details": {"reasoning_tokens": 94},
    }

    assert usage_event(usage) == Usage(input_tokens=32, output_tokens=103, reasoning_tokens=94)


def test_a_cache_beside_the_total_is_added():
    """Anthropic's own shape, as some proxies pass it on."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
    }

    assert usage_event(usage) == Usage(
        input_tokens=130, output_tokens=5, cached_input_tokens=100, cache_write_tokens=20
    )


def test_what_is_kept_for_an_hour_is_part_of_what_was_written():
    details = {"cache_creation_tokens": 20, "cache_creation_token_details": {"ephemeral_1h_input_tokens": 15}}

    usage = usage_event({"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details})

    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (20, 15)


def test_audio_is_part_of_both_totals():
    usage = {
        "prompt_tokens": 120,
        "completion_tokens": 80,
        "prompt_tokens_details": {"audio_tokens": 100, "cached_tokens": 0},
        "completion_tokens_details": {"audio_tokens": 60},
    }

    assert usage_event(usage) == Usage(input_tokens=120, output_tokens=80, audio_tokens=100, audio_output_tokens=60)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("default", None),
        ("auto", None),
        ("standard", None),
        ("on_demand", None),
        (None, None),
        ("", None),
        (7, None),
        ("priority", "priority"),
        ("Batch", "batch"),
        ("flex", "flex"),
    ],
)
def test_a_level_of_service_is_kept_where_it_is_not_the_usual_one(said, kept):
    block = {"prompt_tokens": 1, "completion_tokens": 1}

    assert usage_event(block, service_tier=said).service_tier == kept
    assert usage_event({**block, "service_tier": said}).service_tier == kept


def test_deepseeks_name_for_cached_tokens_is_known():
    usage = SimpleNamespace(prompt_tokens=100, completion_tokens=1, prompt_cache_hit_tokens=64)

    assert usage_event(usage).cached_input_tokens == 64


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (0.1, Decimal("0.1")),
        (0.00012345, Decimal("0.00012345")),
        ("0.0003", Decimal("0.0003")),
        (0, Decimal(0)),
        ({"total_cost": 0.5, "input": 0.2}, Decimal("0.5")),
        (None, None),
        (True, None),
        (-1, None),
        (float("nan"), None),
        ("much", None),
    ],
)
def test_a_reported_cost_is_exact(cost, expected):
    assert usage_event({"prompt_tokens": 1, "completion_tokens": 1, "cost": cost}).reported_cost_usd == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [({"upstream_inference_cost": 0.02}, Decimal("0.021")), ({}, None), (None, None)],
    ids=["both", "the fee alone is not what it costs", "no details"],
)
def test_with_the_teams_own_key_behind_openrouter_both_bills_count(details, expected):
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.001, "is_byok": True, "cost_details": details}

    assert usage_event(usage).reported_cost_usd == expected
    assert usage_event({**usage, "is_byok": False}).reported_cost_usd == Decimal("0.001")


_counts = st.one_of(st.none(), st.integers(-5, 10**7))


def _block(*names: str, **blocks: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(dict.fromkeys(names, _counts) | blocks)


@given(
    _block(
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        prompt_tokens_details=_block("cached_tokens", "cache_creation_tokens", "image_tokens"),
        completion_tokens_details=_block("reasoning_tokens"),
    )
)
def test_details_are_always_parts_of_their_totals(block):
    usage = usage_event(block)

    assert usage.cached_input_tokens + usage.cache_write_tokens <= usage.input_tokens
    assert usage.image_tokens <= usage.input_tokens
    assert usage.reasoning_tokens <= usage.output_tokens
