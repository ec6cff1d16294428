"""The four figures on top of the overview, with what they are compared with and how the forecast is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

import streamlit as st

from core.costs.forecast import FEWEST_DAYS, Forecast
from core.costs.reports.overview import Lately, SoFar
from core.costs.usage_period import local_now, month_after
from ui import formats
from ui.costs_words import at_least, capital, exactly
from ui.markdown import literal

_SPARK_DAYS = 14
_SPARK_WEEKS = 4
_HOW = (
    "What was spent, plus for every day still to come the mean of the same weekday in the last 28 days. Four of five "
    "outcomes lie in the interval: the days to come are drawn 1,000 times from those of the same weekday, or from "
    "all days while there are fewer than three of it."
)


def draw_lately(lately: Lately, *, zone: tzinfo, now: datetime) -> None:
    """Today, this week, this month, and the month's end."""
    today = local_now(now, zone).date()
    costs = {day: spent.cost_usd for day, spent in lately.by_day.items()}
    with st.container(horizontal=True, key="costs_figures"):
        _draw_so_far("Today", lately.today, "yesterday by now", _last_days(costs, today, _SPARK_DAYS))
        _draw_so_far("This week", lately.week, "last week by now", _weeks(costs, today))
        _draw_so_far("This month", lately.month, "last month by now", _growing(costs, today))
        _draw_forecast(lately, today, _growing(costs, today))
    if lately.forecast is not None and lately.forecast.thin:
        st.caption(f"The forecast rests on {lately.forecast.days} days only: take it as a rough one.")


def _draw_so_far(label: str, spent: SoFar, before: str, chart: list[float]) -> None:
    st.metric(
        label,
        literal(capital(at_least(spent.now))),
        _change(spent),
        delta_color="off",
        delta_arrow="auto" if _compares(spent) else "off",
        delta_description=f"on {before}" if _compares(spent) else None,
        help=literal(f"{exactly(spent.now)}. {before.capitalize()}: {exactly(spent.before)}."),
        chart_data=chart if any(chart) else None,
        chart_type="bar",
        border=True,
        height="stretch",
    )


def _draw_forecast(lately: Lately, today: date, so_far: list[float]) -> None:
    found = lately.forecast
    if found is None:
        st.metric(
            "Month's end",
            "not yet",
            delta=None,
            help=f"A forecast needs {FEWEST_DAYS} days of calls. {_HOW}",
            border=True,
            height="stretch",
        )
        return
    days_left = (month_after(today) - today).days
    st.metric(
        "Month's end",
        f"About {literal(formats.money(found.expected_usd))}",
        _range(found),
        delta_color="off",
        delta_arrow="off",
        chart_data=_ahead(so_far, found, days_left) if found.expected_usd else None,
        help=literal(f"{_HOW} Last month: {exactly(lately.last_month)}."),
        border=True,
        height="stretch",
    )


def _range(found: Forecast) -> str:
    return literal(f"{formats.money(found.low_usd)} to {formats.money(found.high_usd)}")


def _compares(spent: SoFar) -> bool:
    return spent.before.cost_usd > 0


def _change(spent: SoFar) -> str | None:
    if not _compares(spent):
        return None
    change = spent.now.cost_usd / spent.before.cost_usd - 1
    return f"{change:+.0%}"


def _last_days(costs: Mapping[date, Decimal], today: date, count: int) -> list[float]:
    days = [today - timedelta(days=back) for back in reversed(range(count))]
    return [float(costs.get(day, 0)) for day in days]


def _weeks(costs: Mapping[date, Decimal], today: date) -> list[float]:
    monday = today - timedelta(days=today.weekday())
    firsts = [monday - timedelta(weeks=back) for back in reversed(range(_SPARK_WEEKS))]
    return [sum(float(costs.get(first + timedelta(days=day), 0)) for day in range(7)) for first in firsts]


def _growing(costs: Mapping[date, Decimal], today: date) -> list[float]:
    grown, points = Decimal(0), []
    for day in range(today.day):
        grown += costs.get(today.replace(day=1) + timedelta(days=day), Decimal(0))
        points.append(float(grown))
    return points


def _ahead(so_far: list[float], found: Forecast, days: int) -> list[float]:
    last = so_far[-1]
    step = (float(found.expected_usd) - last) / max(1, days)
    return [*so_far, *(last + step * day for day in range(1, days + 1))]
