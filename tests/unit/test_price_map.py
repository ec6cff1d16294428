"""LiteLLM's data file, without LiteLLM."""

from __future__ import annotations

import json
import subprocess
import sys
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
