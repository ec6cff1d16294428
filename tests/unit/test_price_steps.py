"""Longer inputs and other levels of service as rows somebody edits, and back, exact."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.catalog.models import Prices, ServicePrices
from core.errors import PriceRefused
from ui.price_steps import ABOVE, SERVICE, edited_rows, step_rows, with_steps

USUAL = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"), request=Decimal("0.01"))
HALF = Prices(input=Decimal("1.5"), output=Decimal("7.5"), request=Decimal("0.01"))
FULL = replace(
    USUAL.with_tier(200_000, input=Decimal(6), output=Decimal("22.5")),
    services=(ServicePrices(service="batch", prices=HALF.with_tier(200_000, input=Decimal("0.0000004"))),),
)


def read(_label, text):
    return Decimal(text)


def test_what_was_made_rows_of_comes_back():
    rows = step_rows(FULL)

    assert [(row[SERVICE], row[ABOVE], row["Input"]) for row in rows] == [
        ("standard", 200_000, "6"),
        ("batch", 0, "1.5"),
        ("batch", 200_000, "0.0000004"),
    ]
    assert with_steps(USUAL, rows, read=read) == FULL
    assert with_steps(USUAL, [], read=read) == USUAL


def test_edits_are_those_of_the_rows_on_show():
    rows = step_rows(FULL)
    edits = {
        "edited_rows": {0: {"Input": "7"}, 1: {"Output": None}},
        "deleted_rows": [2],
        "added_rows": [{SERVICE: "priority", "Input": "9", "Output": "45"}, {}, {"Output": ""}],
    }

    found = edited_rows(rows, edits)

    assert [(row[SERVICE], row[ABOVE], row["Input"], row["Output"]) for row in found] == [
        ("standard", 200_000, "7", "22.5"),
        ("batch", 0, "1.5", None),
        ("priority", 0, "9", "45"),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{SERVICE: "batch", ABOVE: 0, "Input": "1"}], "Batch lacks a price"),
        ([{SERVICE: "batch", ABOVE: 9, "Input": "1", "Output": "1"}], "no price for short inputs"),
        ([{SERVICE: "standard", ABOVE: 0, "Input": "1"}], "above how many tokens"),
        ([{ABOVE: 9, "Input": "1"}, {SERVICE: "standard", ABOVE: 9, "Input": "2"}], "same number of tokens"),
        ([{SERVICE: "standard", ABOVE: 9}], "has no price"),
    ],
)
def test_rows_that_make_no_price_are_named(rows, said):
    with pytest.raises(PriceRefused, match=said):
        with_steps(USUAL, rows, read=read)
