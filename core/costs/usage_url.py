"""A filter of the cost pages as the parameters of an address, and back: what is kept in a link is what is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from core.costs.usage_filter import COLUMNS, UsageFilter
from core.costs.usage_period import DEFAULT_PERIOD, PERIODS, days_of, period, span_of
from core.errors import UsageFilterError

Parameters = Mapping[str, Sequence[str]]

# The name of each list in an address.
NAMES: Mapping[str, str] = {
    "users": "person",
    "models": "model",
    "providers": "provider",
    "use_cases": "use_case",
    "sources": "source",
    "statuses": "status",
    "codes": "code",
}
PARAMETERS = ("period", "from", "to", *NAMES.values())
# Nobody picks more by hand, and an address has an end.
_MOST_VALUES, _LONGEST = 200, 200
_FIRST, _LAST = date(2000, 1, 1), date(2200, 1, 1)
_DAY = "a day such as 2026-11-29"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. `name` is the period's, None where it names two days."""

    chosen: UsageFilter
    name: str | None


def from_parameters(parameters: Parameters, *, zone: tzinfo, now: datetime) -> Asked:
    """Read an address. Other parameters than ours are left alone; `now` is naive UTC.

    Raises UsageFilterError for a period, a day or a value that cannot be meant.
    """
    name, (since, until) = _time(parameters, zone=zone, now=now)
    lists = {item: _values(parameters, parameter) for item, parameter in NAMES.items()}
    return Asked(UsageFilter(since=since, until=until, zone=zone, **lists), name)


def to_parameters(chosen: UsageFilter, *, name: str | None) -> dict[str, list[str]]:
    """The parameters of a filter; what is as nobody chose it is left out. A named period moves on with the days."""
    found: dict[str, list[str]] = {}
    if name is None:
        first, last = days_of(chosen.since, chosen.until, zone=chosen.zone)
        found |= {"from": [first.isoformat()], "to": [last.isoformat()]}
    elif name != DEFAULT_PERIOD:
        found["period"] = [name]
    return found | {NAMES[item]: list(getattr(chosen, item)) for item in COLUMNS if getattr(chosen, item)}


def _time(parameters: Parameters, *, zone: tzinfo, now: datetime) -> tuple[str | None, tuple[datetime, datetime]]:
    if parameters.get("from") or parameters.get("to"):
        first, last = _day(parameters, "from"), _day(parameters, "to")
        if first > last:
            raise _refused("from", first.isoformat(), f"a day that is not after {last.isoformat()}")
        return None, span_of(first, last, zone=zone)
    name = (parameters.get("period") or [DEFAULT_PERIOD])[-1]
    if name not in PERIODS:
        raise _refused("period", name, f"one of {', '.join(PERIODS)}")
    return name, period(name, zone=zone, now=now)


def _day(parameters: Parameters, name: str) -> date:
    text = (parameters.get(name) or [""])[-1]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _refused(name, text, _DAY) from None
    if not _FIRST <= day <= _LAST:
        raise _refused(name, text, _DAY)
    return day


def _values(parameters: Parameters, name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(parameters.get(name) or ()))
    if len(values) > _MOST_VALUES:
        raise _refused(name, f"{len(values)} values", f"{_MOST_VALUES} at most")
    for value in values:
        if len(value) > _LONGEST or not value.isprintable():
            raise _refused(name, value[:20], "a name")
    return values


def _refused(name: str, given: str, wanted: str) -> UsageFilterError:
    return UsageFilterError(
        f"The address names {given!r} as {name}, which is not {wanted}.",
        parameter=name,
        next_step="Everything is shown instead: choose again above.",
    )
