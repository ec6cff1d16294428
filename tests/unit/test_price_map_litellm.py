"""Our arithmetic beside LiteLLM's own, for every model of its map with prices by length or by hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.catalog.price_map import find_facts, installed_map
from core.costs.pricing import compute_cost
from core.providers.events import Usage
from core.providers.litellm_gateway import load_litellm

# Perplexity passes on other makers' models. LiteLLM's calculator for it knows no tiers and no cached input, though its
# map has both; and it counts reasoning beside the output, which our gateway has added to it by then.
SHORT_AND_PLAIN_ONLY = "perplexity"


def is_tiered(entry):
    """Either form: fields such as input_cost_per_token_above_200k_tokens, or a table of token ranges."""
    fields = any(field.startswith("input_cost_per_token_above_") and field.endswith("_tokens") for field in entry)
    return fields or any({"range", "input_cost_per_token"} <= row.keys() for row in entry.get("tiered_pricing", ()))


TIERED = {name: entry for name, entry in installed_map().items() if is_tiered(entry)}


def prices_of(name):
    provider = TIERED[name]["litellm_provider"]
    return find_facts(installed_map(), kind=provider, upstream=name.removeprefix(f"{provider}/")).prices


def usages(above_tokens):
    """Calls below, at, just above and far above a tier's beginning, with and without a cache and reasoning."""
    for tokens in (1000, above_tokens, above_tokens + 1, 2 * above_tokens):
        yield Usage(input_tokens=tokens, output_tokens=100)
        for written in (0, tokens // 4):
            yield Usage(
                input_tokens=tokens,
                output_tokens=100,
                cached_input_tokens=tokens // 2,
                cache_write_tokens=written,
                reasoning_tokens=30,
            )


def block_of(usage):
    """The usage as LiteLLM has it."""
    return load_litellm().Usage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details={
            "cached_tokens": usage.cached_input_tokens,
            "cache_creation_tokens": usage.cache_write_tokens,
        },
        completion_tokens_details={"reasoning_tokens": usage.reasoning_tokens},
    )


def litellm_cost(name, usage):
    provider = TIERED[name]["litellm_provider"]
    return sum(load_litellm().cost_per_token(model=name, custom_llm_provider=provider, usage_object=block_of(usage)))


def test_the_map_has_tiers_of_both_forms():
    assert len(TIERED) > 200
    assert {"dashscope/qwen-flash", "gpt-6-astra"} <= TIERED.keys()


@pytest.mark.parametrize("name", TIERED)
def test_every_tiered_price_gives_what_litellm_computes(name):
    prices = prices_of(name)
    short_and_plain_only = TIERED[name]["litellm_provider"] == SHORT_AND_PLAIN_ONLY

    assert prices.tiers
    for tier in prices.tiers:
        compared = list(usages(tier.above_tokens))
        for usage in compared[:1] if short_and_plain_only else compared:
            # Theirs are floats.
            difference = compute_cost(usage, prices) - Decimal(litellm_cost(name, usage))
            assert abs(difference) < Decimal("1e-8"), usage


OFF_PEAK = [name for name, entry in installed_map().items() if "off_peak_pricing" in entry]
# A week of minutes around every half hour.
WEEK = [
    datetime(2026, 11, 23) + timedelta(minutes=half_hour * 30 + beside)  # noqa: DTZ001 - naive UTC, as everywhere
    for half_hour in range(7 * 48)
    for beside in (-1, 0)
]


def test_the_map_has_off_peak_hours():
    assert "deepseek/deepseek-v4-flash" in OFF_PEAK


@pytest.mark.parametrize("name", OFF_PEAK)
def test_a_week_of_off_peak_hours_gives_what_litellm_computes(name):
    arithmetic = load_litellm().litellm_core_utils.llm_cost_calc.utils
    provider = installed_map()[name]["litellm_provider"]
    prices = find_facts(installed_map(), kind=provider, upstream=name.removeprefix(f"{provider}/")).prices
    usage = Usage(input_tokens=1000, output_tokens=100, cached_input_tokens=300)
    block = block_of(usage)

    for moment in WEEK:
        theirs = arithmetic.generic_cost_per_token(name, block, provider, current_time=moment)
        assert abs(compute_cost(usage, prices.on(moment)) - Decimal(sum(theirs))) < Decimal("1e-8"), moment
    assert {prices.on(moment).off_peak is None for moment in WEEK} == {True, False}
