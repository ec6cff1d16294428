from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Hours, Prices
from core.chat.conversation import AnswerFigures
from core.costs.reports.totals import Spent
from core.costs.usage_filter import UsageFilter
from ui import formats
from ui.costs_words import at_least, few, nothing_fits


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0"),
        ("0.000000001", "$0.000000001"),
        ("0.0000004", "$0.0000004"),
        ("0.00094321", "$0.00094"),
        ("0.0099", "$0.0099"),
        ("0.00999", "$0.01"),
        ("0.01", "$0.01"),
        ("1.235", "$1.24"),
        ("1234.5", "$1,234.50"),
        ("-0.00423", "-$0.0042"),
        ("-1234.5", "-$1,234.50"),
    ],
)
def test_money_has_two_digits_that_matter(amount: str, shown: str) -> None:
    assert formats.money(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("3", "$3.00"),
        ("12.345678901", "$12.345678901"),
        ("-0.004", "-$0.004"),
        ("1234.50", "$1,234.50"),
        ("0", "$0.00"),
    ],
)
def test_an_exact_amount_has_every_digit_and_its_sign_before_the_dollar(amount: str, shown: str) -> None:
    assert formats.exact(Decimal(amount)) == shown


def test_many_names_in_a_sentence_are_the_first_and_how_many_more() -> None:
    assert few(["luna", "haiku"]) == "luna, haiku"
    assert few([str(number) for number in range(40)], most=2) == "0, 1 and 38 more"


@given(st.decimals(min_value=Decimal("0.000000001"), max_value=Decimal(10_000), places=9))
def test_money_is_never_scientific_and_never_off_by_more_than_rounding(amount: Decimal) -> None:
    shown = formats.money(amount)

    assert "e" not in shown.lower()
    assert abs(Decimal(shown.lstrip("$").replace(",", "")) - amount) <= max(amount / 10, Decimal("0.005"))


@pytest.mark.parametrize(
    ("cost_usd", "code", "shown"),
    [
        (None, "unpriced", "unpriced"),
        (Decimal(0), "free", "free"),
        (Decimal("0.0012"), "computed", "$0.0012"),
        (Decimal("0.0012"), "reported", "$0.0012"),
        (Decimal("0.0012"), "estimated", "about $0.0012"),
        (Decimal("0.0012"), "partial", "about $0.0012"),
        (None, "computed", "unpriced"),
        (Decimal(0), "cached", "cached, $0"),
    ],
)
def test_cost_says_what_it_knows(cost_usd: Decimal | None, code: str, shown: str) -> None:
    assert formats.cost(cost_usd, code) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (1204, "1,204"),
        (9999, "9,999"),
        (12_400, "12.4k"),
        (999_940, "999.9k"),
        (999_999, "1.0M"),
        (1_200_000, "1.2M"),
    ],
)
def test_tokens_are_short(count: int, shown: str) -> None:
    assert formats.tokens(count) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "context unknown"),
        (512, "512 context"),
        (8192, "8k context"),
        (400_000, "400k context"),
        (1_048_576, "1M context"),
    ],
)
def test_window_is_short(count: int | None, shown: str) -> None:
    assert formats.window(count) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"), [(0, "0.0 s"), (612, "0.6 s"), (59_940, "59.9 s"), (180_000, "3 min")]
)
def test_duration_has_a_unit(milliseconds: float, shown: str) -> None:
    assert formats.duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("prices", "shown"),
    [
        (None, "unpriced"),
        (Prices(input=Decimal(0), output=Decimal(0)), "free"),
        (Prices(input=Decimal("0.25"), output=Decimal(2)), "$0.25 in, $2.00 out"),
        (Prices(input=Decimal("0.0000004"), output=Decimal("0.5")), "$0.0000004 in, $0.50 out"),
    ],
)
def test_price_names_both_directions(prices: Prices | None, shown: str) -> None:
    assert formats.price(prices) == shown


@pytest.mark.parametrize(
    ("above_tokens", "shown"),
    [(200_000, "above 200k"), (199_999, "above 200k"), (1_000_000, "above 1M"), (272_000, "above 272k")],
)
def test_a_tier_says_where_it_begins(above_tokens: int, shown: str) -> None:
    prices = Prices(input=Decimal(1), output=Decimal(2)).with_tier(above_tokens, input=Decimal(3))

    assert formats.tier_prices(prices) == [f"$3.00 in, $2.00 out {shown}"]
    assert formats.tier_prices(None) == []


NIGHT = Hours(since=22 * 60, until=60, weekdays=frozenset({1, 2, 3, 4, 5}))


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        ([Hours(since=990, until=30)], "16:30 to 00:30 UTC"),
        ([Hours(since=0, until=0)], "all day"),
        (
            [NIGHT, replace(NIGHT, since=240, until=360), Hours(since=0, until=0, weekdays=frozenset({6, 7}))],
            "Mon to Fri 22:00 to 01:00 UTC, 04:00 to 06:00 UTC; Sat, Sun all day",
        ),
        (
            [replace(NIGHT, weekdays=frozenset({1, 3, 5}), zone="Asia/Shanghai")],
            "Mon, Wed, Fri (Asia/Shanghai) 22:00 to 01:00 UTC",
        ),
    ],
)
def test_off_peak_hours_are_said_by_day(hours: list[Hours], shown: str) -> None:
    assert formats.off_peak_hours(hours) == shown


def test_answer_line_leaves_out_what_nobody_knows() -> None:
    figures = AnswerFigures(
        input_tokens=1204,
        cached_input_tokens=900,
        output_tokens=312,
        reasoning_tokens=0,
        cost_usd=Decimal("0.00094"),
        cost_code="computed",
        first_token_ms=None,
        duration_ms=900.0,
        tokens_per_second=None,
    )

    assert formats.answer_line(figures) == "1,204 in (900 cached) · 312 out · $0.00094"


@pytest.mark.parametrize(
    ("cached", "saved", "code", "shown"),
    [
        (900, "0.00243", "computed", "1,204 in (900 cached, $0.0024 saved) · 3 out · $0.01"),
        (900, "0.00243", "reported", "1,204 in (900 cached, $0.0024 saved) · 3 out · $0.01"),
        (900, "-0.0003", "computed", "1,204 in (900 cached, $0.0003 extra to cache it) · 3 out · $0.01"),
        (0, "-0.0003", "partial", "1,204 in ($0.0003 extra to cache it) · 3 out · about $0.01"),
        (900, "0", "computed", "1,204 in (900 cached) · 3 out · $0.01"),
        (900, None, "unpriced", "1,204 in (900 cached) · 3 out · unpriced"),
    ],
)
def test_what_the_providers_cache_saved_stands_beside_what_it_held(
    cached: int, saved: str | None, code: str, shown: str
) -> None:
    figures = AnswerFigures(
        input_tokens=1204,
        cached_input_tokens=cached,
        output_tokens=3,
        reasoning_tokens=0,
        cost_usd=None if code == "unpriced" else Decimal("0.01"),
        cost_code=code,
        first_token_ms=None,
        duration_ms=900.0,
        tokens_per_second=None,
        cache_saved_usd=None if saved is None else Decimal(saved),
    )

    assert formats.answer_line(figures) == shown


@pytest.mark.parametrize(
    ("saved", "shown"),
    [
        (Decimal("0.0045"), "10 in (4 cached) · 3 out · cached, $0 · $0.0045 saved"),
        (Decimal(0), "10 in (4 cached) · 3 out · cached, $0"),
        (None, "10 in (4 cached) · 3 out · cached, $0"),
    ],
)
def test_a_kept_answer_saves_what_it_would_have_cost(saved: Decimal | None, shown: str) -> None:
    figures = AnswerFigures(
        input_tokens=10,
        cached_input_tokens=4,
        output_tokens=3,
        reasoning_tokens=0,
        cost_usd=Decimal(0),
        cost_code="cached",
        first_token_ms=1.0,
        duration_ms=2.0,
        tokens_per_second=3000.0,
        cache_saved_usd=saved,
    )

    assert formats.answer_line(figures) == shown


def test_a_kept_answer_shows_no_speed_of_the_model() -> None:
    figures = AnswerFigures(
        input_tokens=10,
        cached_input_tokens=0,
        output_tokens=3,
        reasoning_tokens=0,
        cost_usd=Decimal(0),
        cost_code="cached",
        first_token_ms=1.0,
        duration_ms=2.0,
        tokens_per_second=3000.0,
    )

    assert formats.answer_line(figures) == "10 in · 3 out · cached, $0"


@pytest.mark.parametrize(
    ("usd", "unpriced", "said"),
    [
        ("0", 0, "$0"),
        ("0.5", 0, "$0.50"),
        ("0.5", 1, "at least $0.50"),
        ("0", 1, "$0, 1 unpriced"),
        ("0", 3, "unpriced"),
    ],
)
def test_a_sum_says_what_it_does_not_know(usd, unpriced, said):
    assert at_least(Spent(calls=3, cost_usd=Decimal(usd), unpriced=unpriced)) == said


def test_filters_are_blamed_for_an_empty_page_only_where_there_are_some():
    everything = UsageFilter(since=datetime(2026, 11, 1), until=datetime(2026, 12, 1))  # noqa: DTZ001 - naive UTC

    assert "filters" not in nothing_fits(everything)
    assert "clear the filters" in nothing_fits(replace(everything, models=("luna",)))


def test_a_range_that_reads_the_same_at_both_ends_is_one_figure():
    assert formats.about(Decimal("0.0767"), Decimal("0.0812")) == "about $0.08"
    assert formats.about(Decimal("0.0021"), Decimal("0.0040")) == "about $0.0021 to $0.004"
