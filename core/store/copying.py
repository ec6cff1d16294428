"""A whole store copied into another one, of either kind, and compared with it row by row.

Each table goes in pieces of its first key column, in order, and a piece lands whole or not at all. So a copy that was
broken off goes on where it stood: the target holds everything up to its highest key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import pyarrow as pa

from core.errors import StoreError
from core.store.attempt_rows import take_table
from core.store.database import Cursor, Database, Row
from core.store.migrate import MARK_OF_COPY, migrate, steps_to_apply

# (table, rows done, rows in all, "copied" or "compared")
Progress = Callable[[str, int, int, str], None]

# By what the tables without a primary key are taken in order: the ledger by the time, which a file finds without
# reading all of it.
_ORDER = {"attempts": "started_at", "search_texts": "message_id", "invoice_lines": "invoice_id", "demo_rows": "row_id"}
# What every migrated store holds from the start: replaced, not refused.
_SEEDED = "account_locks"
# What a PostgreSQL notes for the copies of the ledger (postgres_notes.sql) is no part of the store. The ledger goes as
# everybody reads it, whichever table keeps it (core.store.attempt_rows).
_COLUMNS = """
select table_name, column_name from duckdb_columns()
where database_name = $catalog and (table_name = 'attempts' or table_name in (
    select table_name from duckdb_tables() where database_name = $catalog and not internal and not temporary
)) and schema_name <> 'ledger_notes' and table_name not in ('migrations', 'attempt_rows', $mark)
order by table_name, column_index"""


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    key: str
    columns: tuple[str, ...]

    def rows(self, low: object, high: object, *, ordered: bool) -> str:
        """The statement for the rows with a key above `$low`, up to `$high`."""
        others = [f'"{column}"' for column in self.columns if column != self.key]
        listed = ", ".join([f'"{self.key}"', *others])
        order = f" order by {listed}" if ordered else ""
        above = f'"{self.key}" > $low' if low is not None else "true"
        below = f'"{self.key}" <= $high' if high is not None else "true"
        return f"-- server\nselect {listed} from {self.name} where {above} and {below}{order}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What is to be done for one table: `bounds` are the keys between its pieces, in order."""

    source: Database
    target: Database
    table: _Table
    bounds: Sequence[Any]
    total: int
    progress: Progress

    def tell(self, done: int, verb: str) -> None:
        self.progress(self.table.name, done, self.total, verb)

    def pieces(self) -> Iterator[tuple[Any, Any]]:
        return pairwise([None, *self.bounds, None])


def copy_store(
    source: Database, target: Database, *, progress: Progress = lambda *_: None, piece: int = 20_000
) -> dict[str, int]:
    """Copy every row, compare every row, and return how many there are by table.

    `piece` is how many rows go at a time. `source` is never written to. Raises StoreError when it is not of this
    version, when `target` holds rows of its own, or when the two differ in the end, as when something wrote to one of
    them meanwhile.
    """
    if steps_to_apply(source):
        raise StoreError(
            f"The store {source.url} is not of this version.",
            next_step="Start this Switchboard on it once, or copy it with the version that wrote it.",
        )
    migrate(target, unfinished=True)
    tables = _tables(source)
    _begin(target, tables)
    work = [_planned(source, target, table, piece, progress) for table in tables]
    for one in work:
        _copy_table(one)
    for one in work:
        _compare(one)
    target.transaction(lambda cur: cur.shape(f"drop table {MARK_OF_COPY}"))
    return {one.table.name: one.total for one in work}


def _planned(source: Database, target: Database, table: _Table, piece: int, progress: Progress) -> _Work:
    bounds = [row["bound"] for row in source.fetch_all(_bounds(table, piece))]
    total = _count(source, table)
    return _Work(source=source, target=target, table=table, bounds=bounds, total=total, progress=progress)


def _tables(database: Database) -> list[_Table]:
    columns: dict[str, list[str]] = {}
    for row in database.fetch_all(_COLUMNS, catalog=database.catalog, mark=MARK_OF_COPY):
        columns.setdefault(row["table_name"], []).append(row["column_name"])
    # Everywhere else the primary key begins with the first column.
    return [_Table(name, _ORDER.get(name, listed[0]), tuple(listed)) for name, listed in columns.items()]


def _begin(target: Database, tables: list[_Table]) -> None:
    def work(cur: Cursor) -> None:
        if cur.fetch_all(f"-- server\nselect begun from {MARK_OF_COPY}"):
            return
        for table in tables:
            if table.name != _SEEDED and cur.fetch_all(f"-- server\nselect 1 as one from {table.name} limit 1"):
                raise StoreError(
                    f"The store {target.url} is not empty: it holds rows in {table.name}.",
                    next_step="Copy into an empty one. Nothing was changed.",
                )
        cur.execute(f"delete from {_SEEDED}")  # noqa: S608 - a name of ours
        cur.execute(f"insert into {MARK_OF_COPY} values (true)")  # noqa: S608 - a name of ours

    target.transaction(lambda cur: cur.shape(f"create table if not exists {MARK_OF_COPY} (begun boolean)"))
    try:
        target.transaction(work)
    except StoreError:
        target.transaction(lambda cur: cur.shape(f"drop table {MARK_OF_COPY}"))
        raise


def _bounds(table: _Table, piece: int) -> str:
    """Every so manieth key, in order."""
    key = f'"{table.key}"'
    return f"""-- server
        select distinct bound from (
            select {key} as bound, row_number() over (order by {key}) as place from {table.name}
        ) as numbered where mod(place, {piece}) = 0 order by bound"""  # noqa: S608 - names of ours


def _given(low: object, high: object) -> dict[str, Any]:
    return {name: value for name, value in (("low", low), ("high", high)) if value is not None}


def _copy_table(work: _Work) -> None:
    table = work.table
    held = work.target.fetch_one(f'-- server\nselect max("{table.key}") as key from {table.name}')
    reached = held["key"] if held else None
    done = _count(work.target, table)
    for low, high in work.pieces():
        # Of the last piece, which has no upper end, there is everything or nothing.
        if reached is not None and (done >= work.total if high is None else high <= reached):
            continue
        with work.source.cursor() as cur:
            piece = cur.fetch_arrow(table.rows(low, high, ordered=False), **_given(low, high))
        if piece.num_rows:
            work.target.transaction(partial(_append, table=table.name, rows=piece))
        done += piece.num_rows
        work.tell(done, "copied")


def _append(cur: Cursor, *, table: str, rows: pa.Table) -> None:
    if table == "attempts":
        take_table(cur, rows)
    else:
        cur.append_arrow(table, rows)


def _compare(work: _Work) -> None:
    done = 0
    for low, high in work.pieces():
        sql, given = work.table.rows(low, high, ordered=True), _given(low, high)
        ours, theirs = work.source.fetch_all(sql, **given), work.target.fetch_all(sql, **given)
        if ours != theirs and [_without_nul(row) for row in ours] != theirs:
            raise StoreError(
                f"The copy differs from the original in the table {work.table.name}.",
                next_step="Stop whatever uses either store, and copy again into an empty one.",
            )
        done += len(ours)
        work.tell(done, "compared")


def _without_nul(row: Row) -> Row:
    # PostgreSQL has no such character in a text.
    return {name: value.replace("\0", "�") if isinstance(value, str) else value for name, value in row.items()}


def _count(database: Database, table: _Table) -> int:
    row = database.fetch_one(f"-- server\nselect count(*) as rows from {table.name}")
    return int(row["rows"]) if row else 0
