"""Which models may be asked for one word, and what that may cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability, ModelSpec, Prices, ProviderSpec
from core.catalog.probe_cost import LONGEST_ANSWER_TOKENS, PROBE_CEILING_USD, may_be_asked
from core.costs.pricing import compute_cost
from core.providers.events import Usage

NOW = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - naive UTC, as everywhere
FREE = Prices(input=Decimal(0), output=Decimal(0))


def model(price_in: str = "3", price_out: str = "15", kind: str = "bedrock", **fields) -> ModelSpec:
    prices = Prices(input=Decimal(price_in), output=Decimal(price_out))
    given = {"prices": prices, **fields}
    return ModelSpec(id="a", label="A", provider=ProviderSpec(id=kind, kind=kind), upstream="a", **given)


@pytest.mark.parametrize(("price_in", "price_out"), [("0.15", "0.60"), ("3", "15"), ("5", "20")])
def test_a_model_within_a_hundredth_of_a_cent_may_be_asked(price_in: str, price_out: str) -> None:
    assert may_be_asked(model(price_in, price_out), now=NOW)


@pytest.mark.parametrize(("price_in", "price_out"), [("5", "20.01"), ("15", "75")])
def test_a_model_above_it_is_never_asked(price_in: str, price_out: str) -> None:
    assert not may_be_asked(model(price_in, price_out), now=NOW)


def test_a_price_per_call_counts() -> None:
    prices = Prices(input=Decimal(0), output=Decimal(0), request=Decimal("0.01"))

    assert not may_be_asked(model(prices=prices), now=NOW)


@pytest.mark.parametrize("fields", [{"prices": None}, {"enabled": False}, {"kind": "local", "prices": FREE}])
def test_what_is_unpriced_switched_off_or_on_this_machine_is_never_asked(fields: dict) -> None:
    assert not may_be_asked(model(**fields), now=NOW)


def test_a_model_that_thinks_first_is_asked_only_when_it_is_free() -> None:
    thinking = model(capabilities=frozenset({Capability.REASONING}))

    assert not may_be_asked(thinking, now=NOW)
    assert may_be_asked(replace(thinking, prices=FREE), now=NOW)


PRICES = st.decimals(0, 100, places=2)


@given(PRICES, PRICES)
def test_what_is_asked_stays_under_the_ceiling(price_in: Decimal, price_out: Decimal) -> None:
    prices = Prices(input=price_in, output=price_out)
    asked = compute_cost(Usage(input_tokens=16, output_tokens=LONGEST_ANSWER_TOKENS), prices)

    assert may_be_asked(model(prices=prices), now=NOW) is (asked <= PROBE_CEILING_USD)
