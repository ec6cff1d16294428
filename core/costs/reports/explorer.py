"""Calls grouped by any two things: a page of a table, and a chart of the same groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.costs.local_days import Grain, begins, day_begins, hour_begins
from core.costs.reports.statements import GROUPS, fetch
from core.costs.reports.totals import Totals
from core.costs.usage_filter import Clause, UsageFilter, Viewer, local_number
from core.costs.usage_url import NAMES
from core.store.database import Cursor, Row

Measure = str
# What the groups are weighed by, and its expression over the sums of a group.
MEASURES: Mapping[Measure, str] = {
    "spend": "cost_usd",
    "calls": "calls",
    "input": "input_tokens",
    "output": "output_tokens",
    "unpriced": "unpriced",
}
TIMES: Mapping[str, Grain] = {"hour": "hour", "day": "day", "week": "week"}
NOTHING = "nothing"
PAGE_ROWS = 50
# Bars that can be read one below the other, and colours that can be told apart.
_MOST_BARS, _MOST_COLUMNS, _MOST_SERIES = 20, 1_000_000, 9
_LISTS = {name: item for item, name in NAMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One group: the values of what it is grouped by, None where it stands for all others.

    A time is a `datetime` on the local clock, everything else the text in the ledger.
    """

    first: str | datetime | None
    second: str | datetime | None
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """A page of groups, all groups folded for a chart, how many there are, and what they took together."""

    rows: Sequence[Cell]
    chart: Sequence[Cell]
    groups: int
    totals: Totals


def explore(
    cur: Cursor,
    chosen: UsageFilter,
    *,
    viewer: Viewer,
    first: str,
    second: str = NOTHING,
    measure: Measure = "spend",
    page: int = 1,
    page_rows: int = PAGE_ROWS,
) -> Explored:
    """Group the chosen calls by two names of `GROUPS` or `TIMES`; `second` may be NOTHING.

    The table's pages begin at 1; it is in the order of time where `first` is one, else the weightiest come first.
    """
    rows = fetch(
        cur,
        "explored",
        chosen,
        viewer=viewer,
        expressions=_expressions(chosen, first, second, measure),
        most_firsts=_MOST_COLUMNS if first in TIMES else _MOST_BARS,
        most_seconds=_MOST_SERIES,
        limit=page_rows,
        offset=(page - 1) * page_rows,
    )
    cells = {part: [row for row in rows if row["part"] == part] for part in ("table", "chart", "total")}
    total = cells["total"][0]
    return Explored(
        rows=[_cell(row, first, second) for row in sorted(cells["table"], key=lambda row: row["place"])],
        chart=[_cell(row, first, second) for row in sorted(cells["chart"], key=_place)],
        groups=total["rows"],
        totals=_totals(total),
    )


def narrowed(chosen: UsageFilter, group: str, value: str | datetime) -> UsageFilter:
    """The calls of one group alone."""
    if isinstance(value, datetime):
        since, until = _bounds(value, TIMES[group], chosen)
        return chosen.at(max(since, chosen.since), min(until, chosen.until))
    lists: dict[str, Any] = {_LISTS[group]: (value,)}
    return replace(chosen, **lists)


def _bounds(at: datetime, grain: Grain, chosen: UsageFilter) -> tuple[datetime, datetime]:
    if grain == "hour":
        return hour_begins(at, chosen.zone), hour_begins(at + timedelta(hours=1), chosen.zone)
    days = 1 if grain == "day" else 7
    return day_begins(at.date(), chosen.zone), day_begins(at.date() + timedelta(days=days), chosen.zone)


def _expressions(chosen: UsageFilter, first: str, second: str, measure: Measure) -> dict[str, Clause | str]:
    weight = MEASURES[measure]
    order = f"first desc, {weight} desc, second" if first in TIMES else f"{weight} desc, first, second"
    return {
        "first": _expression(chosen, first),
        "second": _expression(chosen, second),
        "measure": weight,
        "order": order,
    }


def _expression(chosen: UsageFilter, group: str) -> Clause | str:
    if group == NOTHING:
        return "''"
    return local_number(chosen, TIMES[group]) if group in TIMES else GROUPS[group]


def _cell(row: Row, first: str, second: str) -> Cell:
    return Cell(
        first=None if row["first_others"] else _value(row["first"], first),
        second=None if row["second_others"] else _value(row["second"], second),
        totals=_totals(row),
    )


def _value(value: Any, group: str) -> str | datetime:
    # A number comes as text where the other branches of the union are text.
    return begins(int(value), TIMES[group]) if group in TIMES else str(value)


def _place(row: Row) -> tuple[bool, str, bool, str]:
    # The same chart from the same calls: the engine gives groups in any order.
    return row["first_others"], str(row["first"]), row["second_others"], str(row["second"])


def _totals(row: Row) -> Totals:
    if not row["calls"]:
        return Totals()
    names = ("calls", "cost_usd", "unpriced", "input_tokens", "cached_input_tokens", "output_tokens")
    return Totals(**{name: row[name] for name in names})
