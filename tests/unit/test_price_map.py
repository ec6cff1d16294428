"""LiteLLM's data file, without LiteLLM."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability
from core.catalog.price_map import find_facts, installed_map, per_million, source


@given(st.decimals(min_value=0, max_value=1, places=15))
def test_a_price_per_million_is_exact(per_token):
    text = json.loads(json.dumps(float(0)), parse_float=Decimal)  # the reader used for the file

    assert per_million(per_token) == per_token * 1_000_000
    assert per_million(text) == 0


@pytest.mark.parametrize(("text", "price"), [("2.5e-07", "0.25"), ("1e-05", "10"), ("0.0", "0"), ("3", "3000000")])
def test_a_price_is_written_plainly(text, price):
    assert str(per_million(json.loads(text, parse_float=Decimal))) == price


@pytest.mark.parametrize("nonsense", [None, "0.1", True, Decimal(-1), [1]])
def test_what_is_no_price_is_none(nonsense):
    assert per_million(nonsense) is None


def test_the_installed_map_is_there_and_prices_are_decimals():
    assert len(installed_map()) > 1000
    assert installed_map() is installed_map()
    floats = [entry for entry in installed_map().values() if any(isinstance(value, float) for value in entry.values())]
    assert floats == []
    assert source().startswith("litellm 1.")


def test_reading_the_map_does_not_import_litellm():
    code = (
        "import sys; from core.catalog.price_map import installed_map; installed_map(); print('litellm' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"


def test_half_a_price_is_no_price():
    price_map = {"openai/x": {"input_cost_per_token": Decimal("1e-6")}}

    assert find_facts(price_map, kind="openai", upstream="x").prices is None


def test_a_bucket_that_costs_nothing_to_write_is_priced_like_input():
    price_map = {
        "deepseek/x": {
            "input_cost_per_token": Decimal("1e-6"),
            "output_cost_per_token": Decimal("2e-6"),
            "cache_creation_input_token_cost": Decimal("0.0"),
        }
    }

    assert find_facts(price_map, kind="deepseek", upstream="x").prices.cache_write is None


def plain(prices):
    """The prices of every tier by where it begins: input, output, cached input, cache write, for an hour, reasoning."""
    steps = {0: prices} | {tier.above_tokens: tier.prices for tier in prices.tiers}
    names = ("input", "output", "cached_input", "cache_write", "cache_write_1h", "reasoning")
    return {above: [getattr(step, name) for name in names] for above, step in steps.items()}


def test_fields_with_a_border_are_tiers_and_other_service_levels_are_not():
    entry = {
        "input_cost_per_token": Decimal("2.5e-6"),
        "output_cost_per_token": Decimal("1e-5"),
        "cache_read_input_token_cost": Decimal("2.5e-7"),
        "cache_creation_input_token_cost_above_1hr": Decimal("4e-6"),
        "output_cost_per_token_above_272k_tokens": Decimal("2e-5"),
        "input_cost_per_token_above_128000_tokens": Decimal("5e-6"),
        "cache_creation_input_token_cost_above_1hr_above_272k_tokens": Decimal("8e-6"),
        "cache_creation_input_token_cost_above_272k_tokens": Decimal("0.0"),
        "input_cost_per_token_priority": Decimal("5e-5"),
        "input_cost_per_token_above_128k_tokens_priority": Decimal("9e-5"),
        "input_cost_per_token_batches": Decimal("1e-6"),
        "input_cost_per_token_above_512k_tokens": None,
    }

    prices = find_facts({"openai/x": entry}, kind="openai", upstream="x").prices

    assert plain(prices) == {
        0: [Decimal("2.5"), 10, Decimal("0.25"), None, 4, None],
        128_000: [5, 10, Decimal("0.25"), None, 4, None],
        272_000: [5, 20, Decimal("0.25"), None, 8, None],
    }


def test_the_border_itself_costs_more_at_xai():
    entry = {
        "litellm_provider": "xai",
        "input_cost_per_token": Decimal("2e-6"),
        "output_cost_per_token": Decimal("6e-6"),
        "input_cost_per_token_above_200k_tokens": Decimal("4e-6"),
    }

    prices = find_facts({"xai/grok": entry}, kind="xai", upstream="grok").prices

    assert (prices.at(199_999).input, prices.at(200_000).input) == (2, 4)


def test_a_table_of_ranges_is_tiers_whose_buckets_stand_for_themselves():
    rows = [
        {"input_cost_per_token": Decimal("1e-6"), "cache_read_input_token_cost": Decimal("1e-7"), "range": [0, 256000]},
        {"input_cost_per_token": Decimal("2e-6"), "range": [Decimal("256000.0"), Decimal("1000000.0")]},
    ]
    entry = {"tiered_pricing": rows, "output_cost_per_token": Decimal("4e-6")}

    prices = find_facts({"dashscope/q": entry}, kind="dashscope", upstream="q").prices

    assert plain(prices) == {
        0: [1, 4, Decimal("0.1"), None, None, None],
        256_000: [2, 4, None, None, None, None],
    }


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"input_cost_per_query": Decimal(1), "max_results_range": [0, 10]}],
        [{"input_cost_per_token": Decimal("1e-6"), "output_cost_per_token": Decimal("1e-6"), "range": [5, 10]}],
    ],
    ids=["empty", "per query", "nothing from zero"],
)
def test_a_table_without_a_price_from_the_first_token_is_no_price(rows):
    assert find_facts({"q/q": {"tiered_pricing": rows}}, kind="q", upstream="q").prices is None


def off_peak(**given):
    entry = {
        "input_cost_per_token": Decimal("3e-7"),
        "output_cost_per_token": Decimal("1.2e-6"),
        "cache_read_input_token_cost": Decimal("6e-9"),
        "output_cost_per_token_above_128k_tokens": Decimal("2e-6"),
        "off_peak_pricing": {"input_cost_per_token": Decimal("1.5e-7"), **given},
    }
    return find_facts({"deepseek/x": entry}, kind="deepseek", upstream="x").prices


def test_off_peak_hours_have_their_own_prices_and_the_others_as_usual():
    windows = [
        {"hours_utc": ["22:00-02:00", "12:30-13:00"], "weekdays": [1, 2]},
        {"hours_utc": "00:00-00:00", "weekdays": [7]},
    ]
    prices = off_peak(windows=windows)

    cheap = {
        moment
        for day in range(23, 30)  # Monday to Sunday
        for moment in (datetime(2026, 11, day, hour, minute) for hour in range(24) for minute in (0, 29, 30, 59))  # noqa: DTZ001
        if prices.on(moment) is not prices
    }

    assert {(moment.day, moment.hour) for moment in cheap} == {
        *((day, hour) for day in (23, 24) for hour in (22, 23, 0, 1, 12)),
        *((29, hour) for hour in range(24)),
    }
    assert [moment.minute for moment in sorted(cheap) if (moment.day, moment.hour) == (23, 12)] == [30, 59]
    found = prices.on(min(cheap))
    assert (found.input, found.output, found.cached_input) == (Decimal("0.15"), Decimal("1.2"), Decimal("0.006"))
    assert (found.tiers, found.off_peak) == ((), None)
    assert found.source == f"{source()} off-peak"


def test_weekdays_are_those_of_their_calendar():
    prices = off_peak(windows=[{"hours_utc": "16:00-17:00", "weekdays": [6]}], weekday_timezone="Asia/Shanghai")

    friday_evening = datetime(2026, 11, 27, 16, 30)  # noqa: DTZ001 - naive UTC; Saturday in Shanghai
    assert prices.on(friday_evening) is not prices
    assert prices.on(friday_evening + timedelta(days=1)) is prices


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"hours_utc": "all night"},
        {"hours_utc": "25:00-26:00"},
        {"windows": [{"hours_utc": "00:00-00:00", "weekdays": [8]}]},
        {"windows": [{"hours_utc": "00:00-00:00", "weekdays": ["mon"]}]},
        {"hours_utc": "00:00-00:00", "weekday_timezone": "Mars/Olympus"},
    ],
    ids=str,
)
def test_a_rule_that_is_not_understood_does_not_make_calls_cheaper(given):
    assert off_peak(**given).off_peak is None


def test_a_price_per_request_is_in_dollars():
    entry = {
        "input_cost_per_token": Decimal("0.0"),
        "output_cost_per_token": Decimal("2e-6"),
        "input_cost_per_request": Decimal("0.005"),
    }

    prices = find_facts({"perplexity/x": entry}, kind="perplexity", upstream="x").prices

    assert prices.request == Decimal("0.005")
    assert not prices.free


def test_a_bare_name_counts_for_its_own_provider_only():
    price_map = {
        "x": {
            "litellm_provider": "bedrock_converse",
            "input_cost_per_token": Decimal("1e-6"),
            "output_cost_per_token": Decimal("1e-6"),
            "max_input_tokens": 10,
        }
    }

    assert find_facts(price_map, kind="bedrock", upstream="x").context_tokens == 10
    assert find_facts(price_map, kind="openai", upstream="x").context_tokens is None


def test_flags_become_capabilities():
    entry = {"supports_vision": True, "supports_reasoning": False, "supports_system_messages": False}

    facts = find_facts({"openai/x": entry}, kind="openai", upstream="x")
    assert facts.capabilities == {Capability.VISION, Capability.STREAMING}


def test_nonsense_windows_are_unknown():
    entry = {"max_input_tokens": "many", "max_output_tokens": 0}

    facts = find_facts({"openai/x": entry}, kind="openai", upstream="x")
    assert (facts.context_tokens, facts.max_output_tokens) == (None, None)
