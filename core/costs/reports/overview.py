"""The overview of the cost pages: what was spent lately, what on, by whom, and what the month will come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.costs.forecast import HISTORY_DAYS, Forecast, forecast
from core.costs.local_days import begins, day_begins, grain_for
from core.costs.reports.statements import GROUPS, fetch
from core.costs.reports.totals import Spent, Totals, spent_of, total, totals_of
from core.costs.usage_filter import Clause, UsageFilter, Viewer, local_number
from core.costs.usage_period import local_now, month_after, month_before
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

# Rows of a list of the dearest; the others are one more.
TOP = 10
# Colours that can be told apart.
MOST_SERIES = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What was spent so far in a day, a week or a month, and as far into the one before."""

    now: Spent
    before: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """What was spent lately, whatever time is chosen: the other filters hold.

    `last_month` is the whole of it; `by_day` begins with the first day that any of these figures needs.
    """

    today: SoFar
    week: SoFar
    month: SoFar
    last_month: Spent
    by_day: Mapping[date, Spent]
    forecast: Forecast | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one group took in one hour, day or week, which began at `at` on the local clock.

    Without a name it is all groups past the nine dearest together.
    """

    at: datetime
    name: str | None
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One of the dearest conversations. `load_titles` names those that are the viewer's own."""

    id: str
    user_id: str
    last_at: datetime
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """The dearest conversations, all others together and how many those are, and the calls outside of any."""

    dearest: Sequence[Conversation]
    others: Spent
    other_count: int
    outside: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The chosen calls. `models`, `people` and the columns each add up to `totals`, and so do the conversations."""

    totals: Totals
    models: Mapping[str, Totals]
    people: Mapping[str, Spent]
    conversations: Conversations
    columns: Sequence[Column]
    lately: Lately


def load_overview(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, by: str, now: datetime) -> Overview:
    """Read the overview, with columns by a name of `GROUPS`. Call it in a snapshot: its parts are to agree."""
    models = {row["name"]: totals_of(row) for row in _grouped(cur, "totals_by_group", chosen, viewer, "model")}
    people = {row["name"]: spent_of(row) for row in _grouped(cur, "spend_by_group", chosen, viewer, "person")}
    return Overview(
        totals=sum(models.values(), Totals()),
        models=models,
        people=people,
        conversations=_conversations(cur, chosen, viewer=viewer),
        columns=load_columns(cur, chosen, viewer=viewer, by=by),
        lately=load_lately(cur, chosen, viewer=viewer, now=now),
    )


def load_columns(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, by: str) -> list[Column]:
    """What each group took over time, in the order of time. The length of a column follows from the time chosen."""
    grain = grain_for(chosen.since, chosen.until)
    expressions: dict[str, Clause | str] = {"bucket": local_number(chosen, grain), "group": GROUPS[by]}
    rows = fetch(cur, "spend_over_time", chosen, viewer=viewer, expressions=expressions, most=MOST_SERIES)
    rows.sort(key=lambda row: (row["bucket"], row["name"] or ""))
    return [Column(at=begins(row["bucket"], grain), name=row["name"], spent=spent_of(row)) for row in rows]


def load_lately(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, now: datetime) -> Lately:
    """What was spent today, this week and this month, compared with as far into the ones before."""
    local = local_now(now, chosen.zone)
    first = _first_needed(local.date())
    lately = chosen.at(day_begins(first, chosen.zone), day_begins(local.date() + timedelta(days=1), chosen.zone))
    second = (local - local.replace(hour=0, minute=0, second=0, microsecond=0)).seconds
    expressions = {"bucket": local_number(lately, "day"), "second": local_number(lately, "second_of_day")}
    rows = fetch(cur, "spend_lately", lately, viewer=viewer, expressions=expressions, second_now=second)
    return _lately(rows, today=local.date())


def _first_needed(today: date) -> date:
    return min(month_before(today), today - timedelta(days=HISTORY_DAYS), today - timedelta(days=13))


def _lately(rows: Sequence[Row], *, today: date) -> Lately:
    parts = {(begins(row["bucket"], "day").date(), row["early"]): spent_of(row) for row in rows}
    days = sorted({day for day, _ in parts})
    by_day = {day: total(parts.get((day, early), Spent()) for early in (True, False)) for day in days}

    def between(first: date, last: date) -> Spent:
        """Whole days, and the last one as far as today has come."""
        whole = total(spent for day, spent in by_day.items() if first <= day < last)
        return whole + (by_day.get(last, Spent()) if last == today else parts.get((last, True), Spent()))

    monday, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    before = month_before(today)
    same_day = min(before + timedelta(days=today.day - 1), month - timedelta(days=1))
    costs = {day: spent.cost_usd for day, spent in by_day.items()}
    month_end = month_after(today) - timedelta(days=1)
    return Lately(
        today=SoFar(now=between(today, today), before=between(today - timedelta(days=1), today - timedelta(days=1))),
        week=SoFar(now=between(monday, today), before=between(monday - timedelta(days=7), today - timedelta(days=7))),
        month=SoFar(now=between(month, today), before=between(before, same_day)),
        last_month=total(spent for day, spent in by_day.items() if before <= day < month),
        by_day=by_day,
        forecast=forecast(costs, today=today, first_call=min(days, default=None), month_end=month_end),
    )


def _conversations(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer) -> Conversations:
    rows = fetch(cur, "dearest_conversations", chosen, viewer=viewer, limit=TOP)
    parts = {part: [row for row in rows if row["part"] == part] for part in ("one", "all", "outside")}
    owners = {row["key"]: row for row in _owners(cur, chosen, [row["key"] for row in parts["one"]], viewer=viewer)}
    dear = [_conversation(row, owners[row["key"]]) for row in parts["one"]]
    shown = total(one.spent for one in dear)
    return Conversations(
        dearest=sorted(dear, key=lambda one: (-one.spent.cost_usd, one.id)),
        others=total(spent_of(row) for row in parts["all"]) - shown,
        other_count=sum(row["conversations"] for row in parts["all"]) - len(dear),
        outside=total(spent_of(row) for row in parts["outside"]),
    )


def _conversation(row: Row, owner: Row) -> Conversation:
    return Conversation(
        id=owner["conversation_id"], user_id=owner["user_id"], last_at=owner["last_at"], spent=spent_of(row)
    )


def _owners(cur: Cursor, chosen: UsageFilter, keys: Sequence[str], *, viewer: Viewer) -> list[Row]:
    if not keys:
        return []
    named = {f"key_{number}": key for number, key in enumerate(keys)}
    listed = Clause(sql=", ".join(f"${name}" for name in named), parameters=named)
    return fetch(cur, "owners_of_conversations", chosen, viewer=viewer, expressions={"keys": listed})


def load_titles(database: Database, conversations: Iterable[Conversation], *, viewer: Viewer) -> dict[str, str]:
    """The titles of those conversations that are the viewer's own, by id: somebody else's words are theirs."""
    ids = [one.id for one in conversations]
    sql = load_queries("usage")["names_of_conversations"]
    rows = database.fetch_all(sql, ids=ids, viewer_id=viewer.id) if ids else []
    return {row["id"]: row["title"] for row in rows}


def _grouped(cur: Cursor, name: str, chosen: UsageFilter, viewer: Viewer, by: str) -> list[Row]:
    return fetch(cur, name, chosen, viewer=viewer, expressions={"group": GROUPS[by]})


def dearest(groups: Mapping[str, Spent], *, limit: int = TOP) -> tuple[list[tuple[str, Spent]], Spent]:
    """The dearest groups, and all others together."""
    ranked = sorted(groups.items(), key=lambda item: (-item[1].cost_usd, -item[1].calls, item[0]))
    return ranked[:limit], total(spent for _, spent in ranked[limit:])


def money_of(groups: Mapping[str, Totals]) -> dict[str, Spent]:
    """Calls and cost alone, by name."""
    return {name: totals.spent for name, totals in groups.items()}
