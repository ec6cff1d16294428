"""What a month will come to, from the days before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.costs.forecast import ENOUGH_DAYS, FEWEST_DAYS, HISTORY_DAYS, forecast
from core.costs.usage_period import month_after

TODAY = date(2026, 11, 16)  # a Monday
MONTH_END = date(2026, 11, 30)
LONG_AGO = date(2026, 1, 1)


def _every_day(cost: str) -> dict[date, Decimal]:
    return {TODAY - timedelta(days=back): Decimal(cost) for back in range(1, 60)}


def test_a_steady_team_goes_on_as_it_did():
    found = forecast(_every_day("2"), today=TODAY, first_call=LONG_AGO, month_end=MONTH_END)

    assert found is not None
    assert found.expected_usd == found.low_usd == found.high_usd == Decimal(60)
    assert found.days == HISTORY_DAYS
    assert not found.thin


def test_weekends_are_expected_to_be_weekends():
    costs = {day: cost for day, cost in _every_day("10").items() if day.weekday() < 5}

    found = forecast(costs, today=TODAY, first_call=LONG_AGO, month_end=MONTH_END)

    # Ten working days are over, eleven to come.
    assert found is not None
    assert found.expected_usd == Decimal(210)


def test_a_day_that_is_over_its_usual_sum_counts_as_it_is():
    found = forecast(_every_day("2") | {TODAY: Decimal(50)}, today=TODAY, first_call=LONG_AGO, month_end=MONTH_END)

    assert found is not None
    assert found.expected_usd == Decimal(15 * 2 + 50 + 14 * 2)


def test_little_history_is_said_and_none_gives_no_forecast():
    week_ago, lately = TODAY - timedelta(days=FEWEST_DAYS), TODAY - timedelta(days=FEWEST_DAYS - 1)
    costs = _every_day("2")

    thin = forecast(costs, today=TODAY, first_call=week_ago, month_end=MONTH_END)

    assert thin is not None
    assert thin.thin
    assert forecast(costs, today=TODAY, first_call=lately, month_end=MONTH_END) is None
    assert forecast({}, today=TODAY, first_call=None, month_end=MONTH_END) is None
    assert ENOUGH_DAYS > FEWEST_DAYS


@given(
    costs=st.lists(st.decimals("0", "100", places=4), min_size=60, max_size=60),
    today=st.dates(date(2026, 3, 1), date(2026, 12, 31)),
)
def test_the_forecast_is_never_less_than_what_was_spent(costs, today):
    by_day = {today - timedelta(days=back): cost for back, cost in enumerate(costs)}
    month_end = month_after(today) - timedelta(days=1)
    spent = sum((cost for day, cost in by_day.items() if day >= today.replace(day=1)), Decimal(0))

    found = forecast(by_day, today=today, first_call=today - timedelta(days=59), month_end=month_end)

    assert found is not None
    assert found.expected_usd >= spent - Decimal("0.01")
    assert spent - Decimal("0.01") <= found.low_usd <= found.high_usd
