"""The calls behind a figure, one by one: a page of the list, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.costs.reports.statements import fetch
from core.costs.usage_filter import UsageFilter, Viewer
from core.store.database import Cursor
from core.store.sql import load_queries

PAGE_ROWS = 50
_LOOKS_BACK_DAYS = (2, 8, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `started_at` is naive UTC; a `cost_usd` of None is unpriced; `adjusted_usd` is what corrections added.

    `model` answered, or was asked where none did.
    """

    id: str
    turn_id: str
    conversation_id: str | None
    user_id: str
    source: str
    use_case: str | None
    requested_model: str
    model: str
    provider: str
    started_at: datetime
    first_token_ms: float | None
    duration_ms: float
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: Decimal | None
    cost_code: str
    adjusted_usd: Decimal
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """A page of the list, and how many calls there are in all."""

    rows: Sequence[Call]
    count: int


def load_calls(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, page: int = 1, page_rows: int = PAGE_ROWS) -> Calls:
    """The page of the chosen calls, which begin at 1. Call it in a snapshot: the count belongs to the rows."""
    offset = (page - 1) * page_rows
    recent = _recent(cur, chosen, viewer=viewer, rows=offset + page_rows)
    found = fetch(cur, "newest_calls", recent, viewer=viewer, limit=page_rows, offset=offset)
    count = _count(cur, chosen, viewer=viewer)
    if not found:
        return Calls(rows=(), count=count)
    times = [row["started_at"] for row in found]
    rows = cur.fetch_all(
        load_queries("usage")["calls"], ids=[row["id"] for row in found], since=min(times), until=max(times)
    )
    return Calls(rows=[Call(**row) for row in rows], count=count)


def _recent(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, rows: int) -> UsageFilter:
    """The end of the time chosen, as far as the newest `rows` of its calls go back.

    The ledger is in the order of time: what a few days hold is counted at once, and sorted fifty times faster than what
    a year holds.
    """
    for days in _LOOKS_BACK_DAYS:
        since = chosen.until - timedelta(days=days)
        if since <= chosen.since:
            break
        recent = chosen.at(since, chosen.until)
        if _count(cur, recent, viewer=viewer) >= rows:
            return recent
    return chosen


def _count(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer) -> int:
    count: int = fetch(cur, "count_calls", chosen, viewer=viewer)[0]["calls"]
    return count
