"""One connection for the process, a cursor for every call.

DuckDB's connection is not safe to share between threads (results of one thread turn up in another), its cursors are.
Of two transactions that touch one row at the same time the second one fails: it is retried here, in one place, so that
no caller needs to know. On a store that several processes share, a statement runs either in DuckDB or, as text, on the
server itself (core.store.server_sql); both are in the same transaction.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from core.errors import StoreError
from core.store.engine import Engine, open_engine
from core.store.server_sql import ddl, runs_on_server, with_values

Row = dict[str, Any]
Parameters = Mapping[str, Any]
T = TypeVar("T")

_FIRST_WAIT_S = 0.002
_ON_SERVER = "call postgres_execute('store', $text)"
_ASK_SERVER = "select * from postgres_query('store', $text)"


class Cursor:
    """A cursor of one call: runs statements with named parameters (`$name`) and returns rows as dictionaries."""

    def __init__(self, raw: duckdb.DuckDBPyConnection, *, shared: bool = False) -> None:
        self.raw = raw
        self.shared = shared

    def execute(self, sql: str, **parameters: Any) -> None:
        """Run a statement for its effect."""
        if self.shared and runs_on_server(sql):
            self.on_server(with_values(sql, parameters))
        else:
            self.raw.execute(sql, parameters or None)

    def update(self, sql: str, **parameters: Any) -> int | None:
        """Run an update or a delete; how many rows it changed, or None where a server ran it and does not say."""
        self.execute(sql, **parameters)
        if self.shared:
            return None
        [(changed,)] = self.raw.fetchall()
        return int(changed)

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run a statement once per row of parameters."""
        for row in rows:
            self.execute(sql, **row)

    def on_server(self, text: str) -> None:
        """Run statements on the server of a shared store as they stand there, in this transaction."""
        self.raw.execute(_ON_SERVER, {"text": text})

    def shape(self, sql: str) -> None:
        """Run the statements of a migration, which make and change tables."""
        if self.shared:
            self.on_server(ddl(sql))
            self.raw.execute("call pg_clear_cache()")
        else:
            self.raw.execute(sql)

    def append(self, table: str, rows: Sequence[Parameters]) -> None:
        """Append many rows at once: all have the keys of the first, which are columns of `table`.

        A hundred times faster than one statement a row; a Decimal stays exact.
        """
        if not rows:
            return
        self.append_arrow(table, pa.Table.from_pylist([dict(row) for row in rows]))

    def append_arrow(self, table: str, rows: pa.Table) -> None:
        """Append the rows of an Arrow table, whose columns are columns of `table`."""
        with self.reading("appended", rows):
            columns = ", ".join(f'"{name}"' for name in rows.column_names)
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
        self._ask(sql, parameters)
        names = [column[0] for column in self.raw.description or ()]
        return [dict(zip(names, values, strict=True)) for values in self.raw.fetchall()]

    def fetch_columns(self, sql: str, **parameters: Any) -> dict[str, Any]:
        """The result of a query as NumPy arrays by column, for arithmetic on many rows.

        Money does not belong here: DECIMAL becomes a float.
        """
        self._ask(sql, parameters)
        return self.raw.fetchnumpy()

    def fetch_arrow(self, sql: str, **parameters: Any) -> pa.Table:
        """The result of a query as an Arrow table, exact: for handing many rows on."""
        self._ask(sql, parameters)
        return self.raw.to_arrow_table()

    def fetch_one(self, sql: str, **parameters: Any) -> Row | None:
        """The first row of a query, or None."""
        rows = self.fetch_all(sql, **parameters)
        return rows[0] if rows else None

    def fetch_batches(self, sql: str, *, rows: int, **parameters: Any) -> Iterator[pa.Table]:
        """The result of a query as Arrow tables of so many rows: exact, and no row passes through Python.

        Nothing else may be asked of this cursor until the last one was taken.
        """
        self._ask(sql, parameters)
        for batch in self.raw.to_arrow_reader(rows):
            yield pa.Table.from_batches([batch])

    def _ask(self, sql: str, parameters: Parameters) -> None:
        if self.shared and runs_on_server(sql):
            self.raw.execute(_ASK_SERVER, {"text": with_values(sql, parameters)})
        else:
            self.raw.execute(sql, parameters or None)


class Database:
    """The store of one process, opened from a URL such as `duckdb:data/switchboard.duckdb`."""

    def __init__(self, url: str) -> None:
        """Open the store.

        Raises StoreLocked when another process holds it, StoreDamaged when it is not a database, StoreError when it
        cannot be created or the URL is not understood.
        """
        self._engine: Engine = open_engine(url)
        self._closed = threading.Event()
        self._version = 0
        self._counting = threading.Lock()

    @property
    def url(self) -> str:
        """Where the tables live, without a password."""
        return self._engine.url

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use the same tables: the store is a PostgreSQL, not a file."""
        return self._engine.shared

    @property
    def catalog(self) -> str:
        """What DuckDB calls the database that the tables are in."""
        return self._engine.catalog

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed.is_set()

    @property
    def version(self) -> int:
        """Grows with every transaction. What was read since is still so while it stays the same.

        A DuckDB file has one writer, this process. Of others on a shared store it learns within a second. Take it
        before reading what is to be kept.
        """
        with self._explained():
            if self._engine.others_wrote():
                self._count()
        return self._version

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor that lives as long as the block. Statements outside `transaction` commit one by one.

        Raises StoreError when the store is closed or cannot be reached.
        """
        if self._closed.is_set():
            raise StoreError("The store is closed.", next_step="Start Switchboard again.")
        with self._explained(), self._engine.lease() as raw:
            yield Cursor(raw, shared=self.is_shared)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            explained = self._engine.explain(error)
            if explained is error:
                raise
            raise explained from None

    def transaction(self, work: Callable[[Cursor], T]) -> T:
        """Run `work` in one transaction and return its result; all of it lands or nothing does.

        `work` may run more than once (a conflicting transaction is retried with a growing, jittered wait), so it must
        have no effect outside the store.
        """
        return self._retried(lambda cur: self._attempt(cur, work))

    def _retried(self, run: Callable[[Cursor], T]) -> T:
        with self.cursor() as cur:
            for tried in count(1):
                try:
                    return run(cur)
                except duckdb.Error as error:
                    if tried >= self._engine.tries(error):
                        raise
                    time.sleep(_FIRST_WAIT_S * 2**tried * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")

    def snapshot(self, work: Callable[[Cursor], T]) -> T:
        """Run several queries as of one moment and return what `work` returns. It must not write."""
        with self.cursor() as cur:
            return self._attempt(cur, work, writes=False)

    def _attempt(self, cur: Cursor, work: Callable[[Cursor], T], *, writes: bool = True) -> T:
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
        if self.is_shared:
            self.transaction(lambda cur: cur.execute(sql, **parameters))
        else:
            # In a file a statement outside of a transaction is one: that saves two more of them.
            self._retried(lambda cur: self._commit_alone(cur, sql, parameters))

    def _commit_alone(self, cur: Cursor, sql: str, parameters: Parameters) -> None:
        try:
            cur.execute(sql, **parameters)
        finally:
            self._count()

    def close(self) -> None:
        """Write everything out and let go of the file. Calling it again does nothing."""
        if not self._closed.is_set():
            self._closed.set()
            self._engine.close()


def _roll_back(cur: Cursor) -> None:
    # A failed commit, or a server that is gone, has already ended the transaction: the rollback is then refused, and
    # the first error is the one worth raising.
    with suppress(duckdb.Error):
        cur.execute("rollback")
