"""One connection for the process, a cursor for every call.

DuckDB's connection is not safe to share between threads (results of one thread turn up in another), its cursors are.
Two transactions that touch one row at the same time end in TransactionException for the second: it is retried here,
in one place, so that no caller needs to know.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from core.errors import StoreError
from core.store.engine import connect

Row = dict[str, Any]
Parameters = Mapping[str, Any]
T = TypeVar("T")

_TRANSACTION_TRIES = 8
_FIRST_WAIT_S = 0.002


class Cursor:
    """A cursor of one call: runs statements with named parameters (`$name`) and returns rows as dictionaries."""

    def __init__(self, raw: duckdb.DuckDBPyConnection) -> None:
        self.raw = raw

    def execute(self, sql: str, **parameters: Any) -> None:
        """Run a statement for its effect."""
        self.raw.execute(sql, parameters or None)

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run a statement once per row of parameters."""
        for row in rows:
            self.raw.execute(sql, dict(row))

    def append(self, table: str, rows: Sequence[Parameters]) -> None:
        """Append many rows at once: all have the keys of the first, which are columns of `table`.

        A hundred times faster than one statement a row; a Decimal stays exact.
        """
        if not rows:
            return
        with self.reading("appended", pa.Table.from_pylist([dict(row) for row in rows])):
            columns = ", ".join(rows[0])
            self.raw.execute(f"insert into {table} ({columns}) select {columns} from appended")  # noqa: S608 - no values

    @contextmanager
    def reading(self, name: str, table: pa.Table) -> Iterator[None]:
        """Let statements of the block read an Arrow table under a name."""
        self.raw.register(name, table)
        try:
            yield
        finally:
            self.raw.unregister(name)

    def fetch_all(self, sql: str, **parameters: Any) -> list[Row]:
        """All rows of a query. DECIMAL columns come as Decimal, TIMESTAMP as naive UTC datetime."""
        self.raw.execute(sql, parameters or None)
        names = [column[0] for column in self.raw.description or ()]
        return [dict(zip(names, values, strict=True)) for values in self.raw.fetchall()]

    def fetch_columns(self, sql: str, **parameters: Any) -> dict[str, Any]:
        """The result of a query as NumPy arrays by column, for arithmetic on many rows.

        Money does not belong here: DECIMAL becomes a float.
        """
        self.raw.execute(sql, parameters or None)
        return self.raw.fetchnumpy()

    def fetch_one(self, sql: str, **parameters: Any) -> Row | None:
        """The first row of a query, or None."""
        rows = self.fetch_all(sql, **parameters)
        return rows[0] if rows else None


class Database:
    """The store of one process, opened from a URL such as `duckdb:data/switchboard.duckdb`."""

    def __init__(self, url: str) -> None:
        """Open the store.

        Raises StoreLocked when another process holds it, StoreDamaged when it is not a database, StoreError when it
        cannot be created or the URL is not understood.
        """
        self.url = url
        self._connection = connect(url)
        self._closed = threading.Event()
        self._version = 0
        self._counting = threading.Lock()

    @property
    def version(self) -> int:
        """Grows with every transaction. What was read since is still so while it stays the same.

        Nobody else writes: DuckDB gives the file to one process. Take it before reading what is to be kept.
        """
        return self._version

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor that lives as long as the block. Statements outside `transaction` commit one by one."""
        if self._closed.is_set():
            raise StoreError("The store is closed.", next_step="Start Switchboard again.")
        with self._connection.cursor() as raw:
            yield Cursor(raw)

    def transaction(self, work: Callable[[Cursor], T]) -> T:
        """Run `work` in one transaction and return its result; all of it lands or nothing does.

        `work` may run more than once (a conflicting transaction is retried with a growing, jittered wait), so it must
        have no effect outside the store.
        """
        for tries_left in reversed(range(_TRANSACTION_TRIES)):
            try:
                return self._attempt(work)
            except duckdb.TransactionException:
                if not tries_left:
                    raise
                doubled = _FIRST_WAIT_S * 2 ** (_TRANSACTION_TRIES - tries_left)
                time.sleep(doubled * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")

    def snapshot(self, work: Callable[[Cursor], T]) -> T:
        """Run several queries as of one moment and return what `work` returns. It must not write."""
        return self._attempt(work, writes=False)

    def _attempt(self, work: Callable[[Cursor], T], *, writes: bool = True) -> T:
        with self.cursor() as cur:
            cur.execute("begin transaction")
            try:
                result = work(cur)
                cur.execute("commit")
            except BaseException:
                _roll_back(cur)
                raise
            finally:
                # Also after a failure: whether a commit that raised took effect is not always known.
                if writes:
                    self._count()
            return result

    def _count(self) -> None:
        with self._counting:
            self._version += 1

    def fetch_all(self, sql: str, **parameters: Any) -> list[Row]:
        """All rows of one query, on a cursor of its own."""
        with self.cursor() as cur:
            return cur.fetch_all(sql, **parameters)

    def fetch_one(self, sql: str, **parameters: Any) -> Row | None:
        """The first row of one query or None, on a cursor of its own."""
        with self.cursor() as cur:
            return cur.fetch_one(sql, **parameters)

    def execute(self, sql: str, **parameters: Any) -> None:
        """One statement in a transaction of its own, retried on conflict."""
        self.transaction(lambda cur: cur.execute(sql, **parameters))

    def close(self) -> None:
        """Write everything out and let go of the file. Calling it again does nothing."""
        if not self._closed.is_set():
            self._closed.set()
            self._connection.close()


def _roll_back(cur: Cursor) -> None:
    # A failed commit has already ended the transaction: DuckDB then refuses the rollback with the same exception class
    # that marks a conflict, and the first error is the one worth raising.
    try:
        cur.execute("rollback")
    except duckdb.TransactionException:
        return
