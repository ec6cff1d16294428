"""How wide the interval of a forecast is: as wide as the past was uneven, and wider where little of it is known."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.forecast import FEWEST_DAYS, HISTORY_DAYS, Forecast, forecast

TODAY = date(2026, 11, 10)
MONTH_END = date(2026, 11, 30)
UNEVEN = (1, 9, 3, 12, 5)


def foretold(days: int, costs: list[Decimal]) -> Forecast:
    past = {TODAY - timedelta(days=back): costs[back % len(costs)] for back in range(1, days + 1)}
    found = forecast(past, today=TODAY, first_call=TODAY - timedelta(days=days), month_end=MONTH_END)
    assert found is not None
    return found


@pytest.mark.parametrize("days", [FEWEST_DAYS, 10, 14, 20, HISTORY_DAYS])
def test_an_uneven_past_makes_an_interval_also_where_each_weekday_was_seen_once(days):
    found = foretold(days, [Decimal(cost) for cost in UNEVEN])

    assert found.low_usd < found.expected_usd < found.high_usd


def test_a_short_past_makes_a_wider_interval_than_a_long_one():
    costs = [Decimal(cost) for cost in UNEVEN]
    short, long = foretold(FEWEST_DAYS, costs), foretold(HISTORY_DAYS, costs)

    assert short.high_usd - short.low_usd > long.high_usd - long.low_usd


@given(
    days=st.integers(FEWEST_DAYS, HISTORY_DAYS),
    costs=st.lists(st.decimals("0", "100", places=4), min_size=1, max_size=28),
)
def test_what_is_expected_lies_in_the_interval(days, costs):
    found = foretold(days, costs)

    assert found.low_usd <= found.expected_usd <= found.high_usd
