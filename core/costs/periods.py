"""The days, weeks and months that budgets are for, on the calendar of a time zone. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal, get_args

Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = get_args(Period)

_DAYS_OF_A_WEEK = 7
_DECEMBER = 12


def period_start(moment: datetime, period: Period, zone: tzinfo) -> datetime:
    """When the period that holds `moment` began, at midnight in `zone`; weeks begin on Monday. Both naive UTC.

    Where a clock change leaves a day without a midnight, it begins with its first moment.
    """
    return _midnight(_first_day(_local_day(moment, zone), period), zone)


def period_end(moment: datetime, period: Period, zone: tzinfo) -> datetime:
    """When the period that holds `moment` is over and the next begins. Both naive UTC."""
    return _midnight(_next_first_day(_first_day(_local_day(moment, zone), period), period), zone)


def _local_day(moment: datetime, zone: tzinfo) -> date:
    return moment.replace(tzinfo=UTC).astimezone(zone).date()


def _first_day(day: date, period: Period) -> date:
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)


def _next_first_day(first: date, period: Period) -> date:
    match period:
        case "day":
            return first + timedelta(days=1)
        case "week":
            return first + timedelta(days=_DAYS_OF_A_WEEK)
        case "month":
            year, month = (first.year + 1, 1) if first.month == _DECEMBER else (first.year, first.month + 1)
            return date(year, month, 1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    # A time that the clock skips is read with the offset before the change, which is the first moment after it; of a
    # midnight that comes twice, the first one counts (PEP 495, fold=0).
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
