"""The stretches of time that the cost pages offer, on the viewer's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo

from core.costs.local_days import day_begins, local_date

# How many days back, today included.
_DAYS: Mapping[str, int] = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365}
# The names in the URL, in the order they are offered.
PERIODS = ("today", "7d", "30d", "90d", "365d", "month", "last_month", "all")
DEFAULT_PERIOD = "30d"
# Before there were models to chat with there is nothing to look at.
_EVER = date(2020, 1, 1)


def period(name: str, *, zone: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    """The first moment of a period and the first after it, in naive UTC. `now` is naive UTC too.

    Every period that reaches to today ends with the day. Raises KeyError for a name that is not one of PERIODS.
    """
    today = local_date(now, zone)
    first, last = _bounds(name, today)
    return span_of(first, last, zone=zone)


def span_of(first: date, last: date, *, zone: tzinfo) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last, in naive UTC."""
    return day_begins(first, zone), day_begins(last + timedelta(days=1), zone)


def days_of(since: datetime, until: datetime, *, zone: tzinfo) -> tuple[date, date]:
    """The first and the last day of a time, the other way round."""
    return local_date(since, zone), local_date(until - timedelta(microseconds=1), zone)


def month_before(day: date) -> date:
    """The first of the month before the one of `day`."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def month_after(day: date) -> date:
    """The first of the month after the one of `day`."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def local_now(now: datetime, zone: tzinfo) -> datetime:
    """A naive UTC moment as the clock of `zone` shows it, naive too."""
    return now.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def _bounds(name: str, today: date) -> tuple[date, date]:
    if name == "month":
        return today.replace(day=1), today
    if name == "last_month":
        return month_before(today), today.replace(day=1) - timedelta(days=1)
    if name == "all":
        return _EVER, today
    return today - timedelta(days=_DAYS[name] - 1), today
