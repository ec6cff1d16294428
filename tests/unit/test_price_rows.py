"""The price book in words and cells: exact, and in the same form everywhere."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.catalog.models import Prices, ServicePrices
from core.costs.price_sheets import Proposal, Sheet, effective_end
from ui.price_rows import audit_words, book_csv, changes, exact_price, other_prices, source_words

NOON = datetime(2026, 11, 2, 12)  # noqa: DTZ001 - naive UTC is the store's own form
DAY = timedelta(days=1)
PRICES = Prices(input=Decimal("0.4"), output=Decimal("1.60"))
FULL = replace(
    PRICES.with_tier(200_000, input=Decimal("0.8"), output=Decimal("2.4")),
    services=(ServicePrices(service="batch", prices=Prices(input=Decimal("0.2"), output=Decimal("0.8"))),),
)


def sheet(version=1, *, since=0, until=None, **changed):
    fields = {
        "version": version,
        "model_id": "gpt",
        "prices": PRICES,
        "valid_from": NOON + since * DAY,
        "valid_to": None if until is None else NOON + until * DAY,
        "source": "litellm 1.0",
        "entered_at": NOON,
        "entered_by": None,
        "reason": "first price",
    }
    return Sheet(**{**fields, **changed})


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0.4", "$0.40"),
        ("0.0375", "$0.0375"),
        ("0.0000004", "$0.0000004"),
        ("1E+3", "$1,000.00"),
        ("0", "$0.00"),
        ("2.500000000", "$2.50"),
    ],
)
def test_a_price_keeps_every_digit(usd, text):
    assert exact_price(Decimal(usd)) == text


def test_what_changes_is_named_with_both_prices():
    offered = replace(FULL, input=Decimal("0.5"), cached_input=Decimal("0.05"), request=Decimal("0.01"))
    proposal = Proposal(model_id="gpt", label="GPT", current=sheet(prices=FULL), offered=offered)

    assert set(changes(proposal).split(", ")) == {
        "input $0.40 → $0.50",
        "cached input none → $0.05",
        "per call none → $0.01",
    }


def test_other_lengths_and_levels_of_service_are_told_apart():
    assert other_prices(FULL) == "above 200,000: input $0.80, output $2.40; batch: input $0.20, output $0.80"
    assert other_prices(PRICES) == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "LiteLLM 1.0"),
        ({"entered_by": "Ada"}, "LiteLLM 1.0, accepted by Ada"),
        ({"source": "registry"}, "Registry file"),
        ({"source": "administrator", "entered_by": "Ada"}, "Ada"),
    ],
)
def test_where_a_price_is_from(changed, words):
    assert source_words(sheet(**changed)) == words


@pytest.mark.parametrize(
    ("others", "days"),
    [
        ([], None),
        ([sheet(2, since=5)], 5),
        ([sheet(2, since=5), sheet(3, since=3)], 3),
        ([sheet(2, since=-2)], 0),
        ([sheet(2, since=-2, until=-1)], None),
        ([sheet(2, since=5, model_id="other")], None),
    ],
    ids=["alone", "followed", "followed twice", "replaced whole", "replaced before its time", "another model"],
)
def test_a_price_ends_where_one_that_was_entered_later_begins(others, days):
    first = sheet()

    assert effective_end(first, [first, *others]) == (None if days is None else NOON + days * DAY)


def test_the_audit_says_what_became_of_which_price():
    before, after = {"input": "0.4", "output": "1.6"}, {"input": "3", "output": "1.6", "reason": "announced"}

    assert audit_words(before, after) == "input 0.4 → 3 · announced"
    assert (
        audit_words({}, {"models": list("abcdefg"), "reason": "first price"}) == "a, b, c, d, e, 2 more · first price"
    )


def test_the_csv_has_every_line_of_every_version_exact_and_harmless():
    text = book_csv([sheet(2, prices=FULL, reason="=1+1"), sheet()]).decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["version"] for row in rows] == ["1"] * 2 + ["2"] * 6
    assert {row["usd_per_million"] for row in rows if row["above_tokens"] == "200000"} == {"0.8", "2.4"}
    assert {row["reason"] for row in rows if row["version"] == "2"} == {"'=1+1"}
