"""Which calls of the ledger somebody wants to see, and which of them they may: a value, and its SQL condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal, Protocol

from core.costs.local_days import Grain, shifts

# What a call is grouped and filtered by, as SQL over the view `ledger`.
MODEL_SQL = "coalesce(served_model, requested_model)"
COLUMNS: Mapping[str, str] = {
    "users": "user_id",
    "models": MODEL_SQL,
    "providers": "provider",
    "use_cases": "coalesce(use_case, '')",
    "sources": "source",
    "statuses": "status",
    "codes": "cost_code",
}


_HOUR_US, _DAY_US = 3_600_000_000, 86_400_000_000
# The first of January 1970 was a Thursday: three days into its week.
_NUMBER = {
    "second_of_day": f"({{local}} % {_DAY_US} // 1000000)",
    "hour": f"({{local}} // {_HOUR_US})",
    "day": f"({{local}} // {_DAY_US})",
    "week": f"(({{local}} + {3 * _DAY_US}) // {7 * _DAY_US})",
}


class Viewer(Protocol):
    """Who looks: `core.accounts.users.User` is one."""

    @property
    def id(self) -> str:
        """The id of the person."""

    @property
    def is_admin(self) -> bool:
        """Whether they may see everybody's figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """Calls that began from `since` to before `until` (naive UTC), and have one of the values of every list given.

    An empty list leaves everything; the use case "" is that of calls without one. `zone` is the clock by which the
    calls are counted to days. Calls of the conversations in `hidden` are left out: nobody is to know
    their models yet.
    """

    since: datetime
    until: datetime
    zone: tzinfo = UTC
    users: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def span(self) -> timedelta:
        """How long the time is."""
        return self.until - self.since

    @property
    def narrowed(self) -> tuple[str, ...]:
        """The names of the lists that leave something out."""
        return tuple(item.name for item in fields(self) if item.name in COLUMNS and getattr(self, item.name))

    def at(self, since: datetime, until: datetime) -> UsageFilter:
        """The same calls at another time."""
        return replace(self, since=since, until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A condition over the view `ledger` with its named parameters."""

    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def clause(chosen: UsageFilter, *, viewer: Viewer) -> Clause:
    """The condition of a filter. A member's own calls are all it ever finds for them, whatever the filter says."""
    if not viewer.is_admin:
        chosen = replace(chosen, users=(viewer.id,))
    conditions = ["started_at >= $since", "started_at < $until"]
    parameters: dict[str, Any] = {"since": chosen.since, "until": chosen.until}
    for name in chosen.narrowed:
        numbered = {f"{name}_{number}": value for number, value in enumerate(getattr(chosen, name))}
        conditions.append(f"{COLUMNS[name]} in ({', '.join(f'${number}' for number in numbered)})")
        parameters |= numbered
    if chosen.hidden:
        numbered = {f"hidden_{number}": value for number, value in enumerate(chosen.hidden)}
        left_out = ", ".join(f"${number}" for number in numbered)
        conditions.append(f"(conversation_id is null or conversation_id not in ({left_out}))")
        parameters |= numbered
    return Clause(sql=f"({' and '.join(conditions)})", parameters=parameters)


def local_number(chosen: UsageFilter, grain: Grain | Literal["second_of_day"]) -> Clause:
    """The number of the hour, the day or the week in which a call began, on the clock of the filter: an expression.

    `core.costs.local_days.begins` says when that is. Whole numbers and no function of dates or time zones: those take
    50 and 100 ns a row (measured), comparing with the two moments a year at which a clock changes takes one.
    """
    first, *later = shifts(chosen.since, chosen.until, chosen.zone)
    cases = "".join(
        f" when started_at >= $shift_at_{number} then $shift_{number}" for number in reversed(range(len(later)))
    )
    offset = f"case{cases} else $shift end" if later else "$shift"
    parameters: dict[str, Any] = {"shift": _microseconds(first.offset)}
    for number, shift in enumerate(later):
        parameters |= {f"shift_at_{number}": shift.since, f"shift_{number}": _microseconds(shift.offset)}
    local = f"(epoch_us(started_at) + {offset})"
    return Clause(sql=_NUMBER[grain].format(local=local), parameters=parameters)


def _microseconds(offset: timedelta) -> int:
    return offset // timedelta(microseconds=1)
