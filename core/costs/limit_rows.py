"""Budgets, rate limits and refusals in the store. Every change is one transaction with its audit row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, TypeVar

from core.costs.limits import Budget, RateLimit, Whom, check_budget, check_rate_limit
from core.costs.periods import PERIODS, Period, period_start
from core.costs.spending import Counted, Key, Sum
from core.errors import BudgetError, NotFound
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

_Limit = TypeVar("_Limit", Budget, RateLimit)
# Writes an audit row inside a transaction (core.accounts.audit.record).
Record = Callable[..., None]

_SQL = load_queries("budgets")
# A turn is counted within milliseconds of its rows: whatever is older cannot be under way between the two.
_SETTLES_WITHIN = timedelta(minutes=10)
_REFUSALS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes a limit (None: the installation itself), when, and how that is written down.

    `subject` says in words whom the limit is for; `now` is naive UTC.
    """

    actor_id: str | None
    subject: str
    record: Record
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call that was not made: whose, of what, and what they were told. `refused_at` is naive UTC."""

    id: str
    refused_at: datetime
    user_id: str
    source: str
    model_id: str
    code: str
    limit_id: str
    reason: str


def load_limits(database: Database) -> tuple[tuple[Budget, ...], tuple[RateLimit, ...]]:
    """Every budget and every rate limit, oldest first."""
    with database.cursor() as cur:
        return _load_budgets(cur), _load_rate_limits(cur)


def save_budget(database: Database, budget: Budget, by: Author) -> Budget:
    """Add a budget (one without an id) or change one, and return it. Raises BudgetError, NotFound."""
    wanted = replace(check_budget(budget), id=budget.id or new_id())

    def work(cur: Cursor) -> None:
        kept = {one.id: one for one in _load_budgets(cur)}
        if any(_same(one, wanted) for one in kept.values() if one.id != wanted.id):
            raise BudgetError("There is such a budget already.", next_step="Change that one.")
        before = _before(kept, budget.id)
        cur.execute(_SQL["update_budget" if before else "insert_budget"], **_budget_row(wanted), now=by.now)
        _audit(cur, by, "budget", before=before, after=wanted)

    database.transaction(work)
    return wanted


def save_rate_limit(database: Database, limit: RateLimit, by: Author) -> RateLimit:
    """Add a rate limit (one without an id) or change one, and return it. Raises BudgetError, NotFound."""
    wanted = replace(check_rate_limit(limit), id=limit.id or new_id())

    def work(cur: Cursor) -> None:
        kept = {one.id: one for one in _load_rate_limits(cur)}
        taken = {(one.whom, one.model_id) for one in kept.values() if one.id != wanted.id}
        if (wanted.whom, wanted.model_id) in taken:
            raise BudgetError("There is such a limit already.", next_step="Change that one.")
        before = _before(kept, limit.id)
        cur.execute(_SQL["update_rate_limit" if before else "insert_rate_limit"], **_rate_row(wanted), now=by.now)
        _audit(cur, by, "rate_limit", before=before, after=wanted)

    database.transaction(work)
    return wanted


def delete_limit(database: Database, limit: Budget | RateLimit, by: Author) -> None:
    """Remove a budget or a rate limit. Raises NotFound when it is gone already."""
    name = "budget" if isinstance(limit, Budget) else "rate_limit"

    def work(cur: Cursor) -> None:
        kept: Sequence[Budget | RateLimit] = _load_budgets(cur) if isinstance(limit, Budget) else _load_rate_limits(cur)
        before = next((one for one in kept if one.id == limit.id), None)
        if before is None:
            raise _gone()
        cur.execute(_SQL[f"delete_{name}"], id=limit.id)
        _audit(cur, by, name, before=before, after=None)

    database.transaction(work)


def count_ledger(database: Database, *, zone: tzinfo, now: datetime) -> Counted:
    """What everybody has spent in the current day, week and month, as of one moment. `now` is naive UTC."""
    starts = {period: period_start(now, period, zone) for period in PERIODS}

    def work(cur: Cursor) -> Counted:
        rows = cur.fetch_all(_SQL["spent_since"], since=min(starts.values()), **starts)
        turns = cur.fetch_all(_SQL["turns_since"], since=now - _SETTLES_WITHIN)
        sums: dict[Key, dict[str, Sum]] = {(period, starts[period]): _by_person(rows, period) for period in PERIODS}
        return Counted(sums=sums, turns=frozenset(row["turn_id"] for row in turns))

    return database.snapshot(work)


def add_refusal(database: Database, refusal: Refusal) -> None:
    """Keep a refusal, and forget those older than 90 days."""

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["purge_refusals"], before=refusal.refused_at - _REFUSALS_KEPT)
        cur.execute(_SQL["insert_refusal"], **{name: getattr(refusal, name) for name in Refusal.__slots__})

    database.transaction(work)


def list_refusals(database: Database, *, limit: int = 200) -> list[Refusal]:
    """The newest refusals, newest first."""
    return [Refusal(**row) for row in database.fetch_all(_SQL["list_refusals"], limit=limit)]


def _by_person(rows: list[Row], period: Period) -> dict[str, Sum]:
    return {
        row["user_id"]: Sum(row[f"{period}_usd"] or Decimal(0), row[f"{period}_unpriced"])
        for row in rows
        if row[f"{period}_usd"] is not None or row[f"{period}_unpriced"]
    }


def _load_budgets(cur: Cursor) -> tuple[Budget, ...]:
    return tuple(Budget(**_with_whom(row)) for row in cur.fetch_all(_SQL["list_budgets"]))


def _load_rate_limits(cur: Cursor) -> tuple[RateLimit, ...]:
    return tuple(RateLimit(**_with_whom(row)) for row in cur.fetch_all(_SQL["list_rate_limits"]))


def _with_whom(row: Row) -> dict[str, Any]:
    whom = Whom(audience=row.pop("audience"), subject=row.pop("subject"), shared=row.pop("shared"))
    return {**row, "whom": whom}


def _same(one: Budget, other: Budget) -> bool:
    return (one.whom, one.period, one.hard) == (other.whom, other.period, other.hard)


def _before(kept: Mapping[str, _Limit], limit_id: str) -> _Limit | None:
    if limit_id and limit_id not in kept:
        raise _gone()
    return kept.get(limit_id)


def _gone() -> NotFound:
    return NotFound("That limit is no longer here.", next_step="Reload the page.")


def _whom_row(whom: Whom) -> dict[str, object]:
    return {"audience": whom.audience, "subject": whom.subject, "shared": whom.shared}


def _budget_row(budget: Budget) -> dict[str, object]:
    names = ("id", "period", "amount_usd", "hard", "warn_percent", "allow_unpriced")
    return {**_whom_row(budget.whom), **{name: getattr(budget, name) for name in names}}


def _rate_row(limit: RateLimit) -> dict[str, object]:
    names = ("id", "model_id", "requests_per_minute", "tokens_per_minute")
    return {**_whom_row(limit.whom), **{name: getattr(limit, name) for name in names}}


def _audit(
    cur: Cursor, by: Author, what: str, *, before: Budget | RateLimit | None, after: Budget | RateLimit | None
) -> None:
    """One audit row; of a change only what changed."""
    action = "create" if before is None else "delete" if after is None else "change"
    told = {"before": _told(before), "after": _told(after)}
    if action == "change":
        changed = [name for name, value in told["after"].items() if told["before"][name] != value]
        told = {side: {name: values[name] for name in changed} for side, values in told.items()}
    kept = {side: values or None for side, values in told.items()}
    by.record(cur, actor_id=by.actor_id, action=f"{what}.{action}", subject=by.subject, **kept)


def _told(limit: Budget | RateLimit | None) -> dict[str, Any]:
    if limit is None:
        return {}
    row = _budget_row(limit) if isinstance(limit, Budget) else _rate_row(limit)
    # Money is text in JSON: no float may touch it.
    return {
        name: f"{value.normalize():f}" if isinstance(value, Decimal) else value
        for name, value in row.items()
        if name != "id"
    }
