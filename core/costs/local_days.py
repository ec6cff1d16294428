"""Days on somebody's clock, as naive UTC moments and as SQL: the store holds UTC, a day is the viewer's day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Literal

Grain = Literal["hour", "day", "week"]

# More columns than that cannot be told apart on a phone.
_MOST_DAYS = 100
_FIRST_DAY = date(1970, 1, 1)
# The first Monday before it, by which weeks are counted.
_FIRST_MONDAY = date(1969, 12, 29)


@dataclass(frozen=True, slots=True)
class Shift:
    """From a moment on (naive UTC) a clock is `offset` ahead of UTC."""

    since: datetime
    offset: timedelta


def day_begins(day: date, zone: tzinfo) -> datetime:
    """When a day begins on the clock of `zone`, in naive UTC.

    Where the clock skips midnight, at the moment it does; where it strikes midnight twice, at the first.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)


def hour_begins(at: datetime, zone: tzinfo) -> datetime:
    """When an hour of the local clock begins, in naive UTC; the first of two that are called the same."""
    return at.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def local_date(moment: datetime, zone: tzinfo) -> date:
    """The day of a naive UTC moment on the clock of `zone`."""
    return moment.replace(tzinfo=UTC).astimezone(zone).date()


def grain_for(since: datetime, until: datetime) -> Grain:
    """How long the columns of a chart over this time should be."""
    span = until - since
    if span <= timedelta(hours=25):
        return "hour"
    return "day" if span <= timedelta(days=_MOST_DAYS) else "week"


def begins(number: int, grain: Grain) -> datetime:
    """When an hour, a day or a week begins on the local clock, from its number as the store counts them."""
    if grain == "hour":
        return datetime.combine(_FIRST_DAY, time()) + timedelta(hours=number)
    first = _FIRST_DAY + timedelta(days=number) if grain == "day" else _FIRST_MONDAY + timedelta(weeks=number)
    return datetime.combine(first, time())


@lru_cache(maxsize=256)
def shifts(since: datetime, until: datetime, zone: tzinfo) -> tuple[Shift, ...]:
    """How far the clock of `zone` is from UTC between two naive UTC moments, whenever that changes; at least one."""
    probes = [since + timedelta(days=count) for count in range(max(0, (until - since).days) + 1)]
    found = [Shift(since, _offset(since, zone))]
    for before, after in pairwise([*probes, until]):
        if _offset(after, zone) != found[-1].offset:
            found.append(Shift(_change(before, after, zone), _offset(after, zone)))
    return tuple(found)


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The second at which the clock changes between two moments with different offsets."""
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle <= before:
            break
        before, after = (middle, after) if _offset(middle, zone) == _offset(before, zone) else (before, middle)
    return after.replace(microsecond=0)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()
