"""Days, counts and amounts as invoices write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.cell_values import parse_count, parse_day, parse_dollars, parse_money

AMOUNTS = st.decimals(min_value=-(10**8), max_value=10**8, places=9)


@given(AMOUNTS)
def test_an_amount_survives_every_way_of_writing_it(amount):
    for text in (f"{amount:f}", f"{amount:e}", f"${amount:f}", f" {amount:,f} "):
        assert parse_money(text) == amount


@given(st.decimals(min_value=0, max_value=10**9, places=12))
def test_what_somebody_types_is_exact_and_its_comma_never_a_point(amount):
    for text in (f"{amount:f}", f"${amount:,f}"):
        assert parse_dollars(text) == amount
    with suppress(ValueError):
        # Where it is read at all, all of it are whole thousands.
        assert parse_dollars(f"{amount:f}".replace(".", ",")) >= 1000


@pytest.mark.parametrize(
    "text", ["", " ", "$", "12,50", "0,400", "1,2500", "12.50,00", "NaN", "-inf", "1_000", "fifty"]
)
def test_what_nobody_can_mean_is_no_amount(text):
    with pytest.raises(ValueError, match="no amount in dollars"):
        parse_dollars(text)


@given(st.integers(min_value=0, max_value=10**14))
def test_a_count_survives_every_way_of_writing_it(count):
    for text in (str(count), f"{count:,}", f"{count}.0", f" {count} "):
        assert parse_count(text) == count


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_a_moment_with_an_offset_is_of_its_day_in_utc(moment, hours):
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))

    expected = local.astimezone(UTC).date()

    assert parse_day(local.isoformat()) == expected
    assert parse_day(str(int(local.timestamp()))) == expected


@given(st.text())
def test_nothing_else_gets_through_and_nothing_but_a_value_error_comes_out(text):
    for parse, kind in ((parse_money, Decimal), (parse_count, int), (parse_day, date)):
        with suppress(ValueError):
            found = parse(text)
            assert found is None or isinstance(found, kind)


@pytest.mark.parametrize("text", ["NaN", "inf", "1,25", "0,125", "-0,125", "12 EUR", "1e12", "1_000", "--3"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="no amount in dollars"):
        parse_money(text)


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "1e3", "0,125"])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(ValueError, match="no count"):
        parse_count(text)


def test_a_long_cell_is_named_by_its_beginning():
    with pytest.raises(ValueError, match=r"“x{40}…” is no day"):
        parse_day("x" * 500)


def test_an_amount_below_a_billionth_is_rounded_half_even():
    assert parse_money("0.0000000005") == 0
    assert parse_money("0.0000000015") == Decimal("0.000000002")
