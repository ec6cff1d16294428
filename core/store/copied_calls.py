"""Bringing a copy of the ledger to what the store holds, row for row."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow as pa

from core.store.database import Cursor
from core.store.sql import load_queries

_SQL = load_queries("ledger_copy")
_TAKE_CALLS = _SQL["take_calls"].replace("{calls_of}", _SQL["calls_of"])
# Rows that are carried over at once: some 50 MB.
_BATCH_ROWS = 100_000
# Notes are kept for two days. Who has not looked for one compares everything.
_NOTES_LAST_S = 86_400.0
_NEVER = (0, float("-inf"))
# Where a file's tables have the numbers of their rows.
_NUMBERED = {"attempts": "numbered_attempts", "adjustments": "(select rowid as number, id from adjustments)"}


@dataclass(frozen=True, slots=True)
class Seen:
    """How far into a table of the store a copy has come: its rows, and the number and the id of the last of them."""

    rows: int = 0
    number: int = -1
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """What tells the calls of a UTC day apart from others: how many, the sum of their ids' hashes, cost and tokens."""

    calls: int
    ids: str
    cost_usd: Decimal | None
    tokens: int


class CopiedCalls:
    """The rows of one copy. Not safe to use from two threads at once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep the copy behind `connection`, which may hold anything; the first `follow` finds out."""
        self.connection = connection
        self._seen: Mapping[str, Seen] | None = None
        self._noted = _NEVER

    def follow(self, store: Cursor) -> None:
        """Make the copy what the store is, as `store` sees it: a cursor in a transaction."""
        if store.shared:
            self._follow_notes(store)
        else:
            self._follow_numbers(store)

    def _follow_notes(self, store: Cursor) -> None:
        """On a PostgreSQL: what was touched by a transaction that the last look may not have seen.

        Those are all that had not ended then, whatever their number: none before the oldest of them is missed, and what
        is read twice is the same twice.
        """
        (oldest, looked_at), self._noted = self._noted, _NEVER
        now, began = store.fetch_all(_SQL["oldest_open"])[0]["oldest"], time.monotonic()
        if began - looked_at > _NOTES_LAST_S:
            self._compare(store)
        else:
            self._take_touched(store, oldest)
        self._noted = (now, began)

    def _take_touched(self, store: Cursor, oldest: int) -> None:
        for touched in list(_read(store, "touched", oldest=oldest)):
            with self._writing() as cur, cur.reading("touched", touched):
                cur.execute(_SQL["forget_touched_corrections"])
                cur.execute(_SQL["forget_touched"])
        with self._writing() as cur:
            _take_corrections(cur, _read(store, "touched_corrections", oldest=oldest))
            _correct(cur, _take_calls(cur, _read(store, "touched_calls", oldest=oldest)))

    def _follow_numbers(self, store: Cursor) -> None:
        """In a DuckDB file: the rows behind the last one seen, as long as nothing else has happened."""
        # Until it has ended well, nothing is known of the copy.
        seen, self._seen = self._seen, None
        now = {table: _look(store, table, (seen or {}).get(table, Seen())) for table in _NUMBERED}
        if seen is None or None in now.values():
            self._compare(store)
            now = {table: _look(store, table, Seen()) for table in now}
        elif now != seen:
            self._append(store, seen)
        self._seen = {table: found for table, found in now.items() if found is not None}

    def _append(self, store: Cursor, seen: Mapping[str, Seen]) -> None:
        with self._writing() as cur:
            touched = _take_corrections(cur, _read(store, "new_corrections", number=seen["adjustments"].number))
            touched += _take_calls(cur, _read(store, "new_calls", number=seen["attempts"].number))
            _correct(cur, touched)

    def _compare(self, store: Cursor) -> None:
        """Read again whatever differs, in pieces: each is kept, also when a later one fails."""
        with self._writing() as cur:
            if cur.fetch_all(_SQL["corrections"]) != store.fetch_all(_SQL["corrections"]):
                _start_over(cur)
                _take_corrections(cur, _read(store, "all_corrections"))
            ours, theirs = _days(cur, "measured_calls", "original_cost_usd"), _days(store, "attempts", "cost_usd")
        differing = pieces(ours, theirs)
        for first, last in differing:
            with self._writing() as cur:
                cur.execute(_SQL["forget_days"], first=first, last=last)
                _correct(cur, _take_calls(cur, _read(store, "calls_of_days", first=first, last=last)))
        if differing:
            # Written out now, compressed, and not when the file happens to be large enough; or then, if somebody reads.
            with suppress(duckdb.TransactionException):
                self.connection.execute("checkpoint")

    @contextmanager
    def _writing(self) -> Iterator[Cursor]:
        """A transaction of the copy."""
        with self.connection.cursor() as raw:
            raw.execute("begin transaction")
            yield Cursor(raw)
            raw.execute("commit")


def _look(store: Cursor, table: str, seen: Seen) -> Seen | None:
    """How far the table goes now; None when something else may have happened to it than new rows.

    DuckDB numbers rows in the order in which they come, and tidying up moves those behind deleted ones. As many rows up
    to the last one seen as before, and that one at its place: then none of them went, and none came between them.
    """
    row = (
        store.fetch_one(
            _SQL["look"].replace("{numbered}", _NUMBERED[table]).replace("{table}", table), number=seen.number
        )
        or {}
    )
    if row["rows"] - row["more"] != seen.rows or row["id_seen"] != seen.id:
        return None
    return Seen(row["rows"], row["number"], row["id"]) if row["more"] else seen


def pieces(ours: Mapping[int, Day], theirs: Mapping[int, Day]) -> list[tuple[int, int]]:
    """The days that differ, as runs from a first to a last one, each of about as many rows as are read at once."""
    found: list[tuple[int, int]] = []
    rows = _BATCH_ROWS
    for day in sorted(ours.keys() | theirs.keys()):
        if ours.get(day) == theirs.get(day):
            rows = _BATCH_ROWS
        elif rows < _BATCH_ROWS:
            found[-1] = (found[-1][0], day)
            rows += _rows(theirs, day)
        else:
            found.append((day, day))
            rows = _rows(theirs, day)
    return found


def _rows(days: Mapping[int, Day], day: int) -> int:
    return days[day].calls if day in days else 0


def _days(cur: Cursor, ledger: str, cost: str) -> dict[int, Day]:
    rows = cur.fetch_all(_SQL["days"].replace("{ledger}", ledger).replace("{cost}", cost))
    return {row.pop("day"): Day(**row) for row in rows}


def _start_over(cur: Cursor) -> None:
    # What a correction that is gone has done to a call is not known any more.
    cur.execute("delete from adjustments")
    cur.execute("delete from measured_calls")


def _take_corrections(cur: Cursor, tables: Iterable[pa.Table]) -> list[pa.ChunkedArray]:
    touched = []
    for table in tables:
        with cur.reading("incoming", table):
            cur.execute(_SQL["take_corrections"])
        touched.append(table.column("attempt_id"))
    return touched


def _take_calls(cur: Cursor, tables: Iterable[pa.Table]) -> list[pa.ChunkedArray]:
    taken = []
    for table in tables:
        with cur.reading("incoming", table):
            cur.execute(_SQL["number_conversations"])
            cur.execute(_TAKE_CALLS)
        taken.append(table.column("id"))
    return taken


def _correct(cur: Cursor, touched: Sequence[pa.ChunkedArray]) -> None:
    """Work the corrections of these attempts into their calls."""
    ids = [chunk for array in touched for chunk in array.chunks]
    if ids and cur.fetch_one("select 1 from adjustments limit 1"):
        with cur.reading("touched", pa.table({"id": pa.chunked_array(ids)})):
            cur.execute(_SQL["correct"])


def _read(store: Cursor, name: str, **parameters: object) -> Iterator[pa.Table]:
    """The rows of a statement over the store, some at a time."""
    return store.fetch_batches(_SQL[name], rows=_BATCH_ROWS, **parameters)
