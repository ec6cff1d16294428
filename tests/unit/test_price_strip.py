"""What the next message costs on several models, and which models those are."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Capability, Prices
from core.chat.history_size import HistorySize
from core.chat.price_strip import others_to_show, quote
from core.costs.estimate import UNPRICED, estimate_cost
from core.costs.output_lengths import OutputLength
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")
LENGTH = OutputLength(low=100, high=400, basis="model", answers=40)
TIERED = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3")).with_tier(
    200_000, input=Decimal(6), output=Decimal(22)
)


@given(st.integers(0, 400_000), st.integers(0, 400_000))
def test_a_draft_costs_what_the_whole_call_would_be_estimated_at(tokens, draft) -> None:
    size = HistorySize(tokens=tokens)

    found = quote(model(prices=TIERED), size, LENGTH, now=NOW).cost(draft, now=NOW)

    whole = estimate_cost(TIERED, input_tokens=tokens + draft, output_low=100, output_high=400)
    assert abs(found.low_usd - whole.low_usd) < Decimal("0.00000001")
    assert abs(found.high_usd - whole.high_usd) < Decimal("0.00000001")


def test_the_low_end_hopes_for_the_cache_and_the_high_end_counts_with_what_was_read_from_it() -> None:
    until = NOW + timedelta(minutes=2)
    size = HistorySize(tokens=100_000, cached_surely=50_000, cached_at_best=90_000, cached_until=until)
    quoted = quote(model(prices=TIERED), size, LENGTH, now=NOW)

    warm, cold = quoted.cost(0, now=NOW), quoted.cost(0, now=until)

    assert warm.low_usd == Decimal("0.0585")
    assert warm.high_usd == Decimal("0.171")
    assert (cold.low_usd, cold.high_usd) == (Decimal("0.3015"), Decimal("0.306"))


def test_unpriced_and_free_say_so() -> None:
    size = HistorySize(tokens=10)
    free = Prices(input=Decimal(0), output=Decimal(0))

    assert quote(model(prices=None), size, LENGTH, now=NOW).cost(5, now=NOW) == UNPRICED
    assert quote(model(prices=free), size, LENGTH, now=NOW).cost(5, now=NOW).free


def priced(name: str, usd: int | None, **fields):
    prices = None if usd is None else Prices(input=Decimal(usd), output=Decimal(usd))
    return model(name, prices=prices, **fields)


MODELS = {
    one.id: one
    for one in (
        priced("dear", 9),
        priced("coder", 5, use_cases=("coding",)),
        priced("cheap", 1),
        priced("cheaper", 0),
        priced("unpriced", None),
        priced("seer", 4, capabilities=frozenset({Capability.VISION})),
        priced("small", 2, context_tokens=1000),
    )
}


def shown(current="dear", **options):
    given = {"favourites": (), "use_case": None, "usable": lambda _model: True, **options}
    return [one.id for one in others_to_show(current, MODELS, **given)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["cheaper", "cheap", "small", "seer"]),
        ({"favourites": ("unpriced", "gone")}, ["unpriced", "cheaper", "cheap", "small"]),
        ({"use_case": "coding"}, ["coder", "cheaper", "cheap", "small"]),
        ({"current": "cheap"}, ["cheaper", "small", "seer", "coder"]),
        ({"hidden": ("cheaper", "small")}, ["cheap", "seer", "coder", "unpriced"]),
        ({"images": True}, ["seer"]),
        ({"tokens": 1000}, ["cheaper", "cheap", "seer", "coder"]),
        ({"usable": lambda one: one.id != "cheap"}, ["cheaper", "small", "seer", "coder"]),
    ],
    ids=["cheapest", "favourites", "use case", "not itself", "hidden", "images", "window", "down"],
)
def test_which_other_models_are_priced(options, expected) -> None:
    assert shown(**options) == expected
