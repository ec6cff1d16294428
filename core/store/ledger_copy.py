"""The ledger once more, for questions about all of it: a DuckDB of its own in this process.

The store is set up for a chat, which is many small statements: one thread, and nothing else in the way of a turn that
is recorded. Reports read this copy instead. It has a thread for every core, its rows lie in the order of time with
their corrections worked in, and it is there also for a store that is no DuckDB.

It is brought up to date whenever somebody reads, and never trusted further than it was compared: rows of the ledger are
written once, so rows behind the last one seen are taken as long as the counts say that nothing else has happened; if
anything has, and once after every start, all days are compared with the store's and those that differ are read again.
A copy that is missing, damaged or of another layout is made anew. While one is being made, reports read the store.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from core.store.copied_calls import CopiedCalls
from core.store.copy_file import forget_copy, open_copy
from core.store.database import Cursor, Database, Row
from core.store.views import make_notes

T = TypeVar("T")

# How long a report waits for a refresh of somebody else before it reads the store: longer than new rows ever take.
_PATIENCE_S = 2.0
_REFRESHED_EVERY_S = 30.0
_DAMAGE = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
_log = logging.getLogger(__name__)


async def refresh_regularly(copy: LedgerCopy, *, every_s: float = _REFRESHED_EVERY_S) -> None:
    """Take in what has come before somebody has to wait for it. For the background."""
    while True:
        await asyncio.to_thread(copy.try_to_refresh)
        await asyncio.sleep(every_s)


class LedgerCopy:
    """A `Reader` of `ledger` and `measured_calls` alone, exact as of each reading. Safe from any thread."""

    def __init__(self, database: Database, path: Path | None = None, *, patience_s: float = _PATIENCE_S) -> None:
        """Copy the ledger of `database` into the file `path`, or into memory. Nothing is opened before a reading.

        A reading that has waited `patience_s` for somebody else's refresh turns to the store.
        """
        self._store = database
        self._patience_s = patience_s
        self._path = path
        self._refreshing = threading.Lock()
        self._calls: CopiedCalls | None = None

    def refresh(self) -> None:
        """Bring the copy up to date, which makes the next reading quick. Blocks while it is being made."""
        with self._refreshing:
            self._up_to_date()

    def try_to_refresh(self) -> None:
        """Like `refresh`, but what fails is left to the next reading."""
        raw = self._begin()
        if raw is not None:
            raw.close()

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor on the ledger as of now, as long as the block lasts; on the store while there is no copy."""
        raw = self._begin()
        if raw is None:
            with self._store.cursor() as cur:
                yield cur
            return
        try:
            yield Cursor(raw)
        except _DAMAGE:
            self._give_up()
            raise
        finally:
            with suppress(duckdb.Error):
                raw.close()

    def snapshot(self, work: Callable[[Cursor], T]) -> T:
        """Run several queries as of one moment and return what `work` returns."""
        try:
            with self.cursor() as cur:
                return work(cur)
        except _DAMAGE as error:
            _log.warning("The copy of the ledger is damaged and is made anew: %s", error)
            return self._store.snapshot(work)

    def fetch_all(self, sql: str, **parameters: Any) -> list[Row]:
        """All rows of one query."""
        return self.snapshot(lambda cur: cur.fetch_all(sql, **parameters))

    def close(self) -> None:
        """Let go of the file. The next reading would open it again."""
        with self._refreshing:
            self._shut()

    def _begin(self) -> duckdb.DuckDBPyConnection | None:
        """A connection whose transaction sees the copy as of now; None where only the store can answer now."""
        if not self._refreshing.acquire(timeout=self._patience_s):
            return None
        try:
            raw = self._up_to_date().connection.cursor()
            raw.execute("begin transaction")
            # A transaction sees what was there when it first read.
            raw.execute("select 1 from layout").fetchall()
        except duckdb.Error as error:
            _log.warning("The copy of the ledger could not be brought up to date; the store is read instead: %s", error)
            self._forget()
            return None
        finally:
            self._refreshing.release()
        return raw

    def _up_to_date(self) -> CopiedCalls:
        if self._calls is None:
            make_notes(self._store)
            self._calls = CopiedCalls(self._store.snapshot(lambda cur: open_copy(self._path, cur)))
        self._store.snapshot(self._calls.follow)
        return self._calls

    def _give_up(self) -> None:
        with self._refreshing:
            self._forget()

    def _forget(self) -> None:
        self._shut()
        forget_copy(self._path)

    def _shut(self) -> None:
        if self._calls is not None:
            with suppress(duckdb.Error):
                self._calls.connection.close()
            self._calls = None
