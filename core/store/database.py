"""One connection for the process, a cursor for every call.

DuckDB's connection is not safe to share between threads (results of one thread turn up in another), its cursors are.
Of two transactions that touch one row at the same time the second one fails: it is retried here, in one place, so that
no caller needs to know.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, TypeVar

import duckdb

from core.errors import StoreError
from core.store.cursor import Cursor, Parameters, Row
from core.store.engine import Engine, open_engine
from core.store.written import ANY_TABLE

__all__ = ["Cursor", "Database", "Row"]

T = TypeVar("T")

_FIRST_WAIT_S = 0.002


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
        self._versions: Counter[str] = Counter()
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

    def version_of(self, *tables: str) -> int | None:
        """Grows with every write to one of these tables, and costs nothing to look at.

        None on a shared store: what others write to them is not known. Take it before reading what is to be kept.
        """
        if self.is_shared:
            return None
        return sum(self._versions[table] for table in (*tables, ANY_TABLE))

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor that lives as long as the block. Statements outside `transaction` commit one by one.

        Raises StoreError when the store is closed or cannot be reached.
        """
        if self._closed.is_set():
            raise StoreError("The store is closed.", next_step="Start Switchboard again.")
        with self._explained(), self._engine.lease() as raw:
            cur = Cursor(raw, shared=self.is_shared)
            try:
                yield cur
            finally:
                if cur.written:
                    with self._counting:
                        self._versions.update(cur.written)

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
