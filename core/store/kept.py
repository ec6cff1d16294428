"""What was read from the store, kept for as long as nothing is written to it.

A page is run anew at every click, and most clicks change nothing in the store: what it shows of the store is then what
it showed before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from core.store.database import Database

T = TypeVar("T")


class KeptReads(Generic[T]):
    """What a read brought, by its key; all of it is let go with the next write (`Database.version`).

    With `tables` only with one to these; of a shared store, where others write to them, nothing is kept then, or with
    `may_lag` until anything is written, of which this process learns within a second. What is kept is handed to several
    threads: it must be a value that nobody changes. At most `most` are kept for a store. Safe to use from any thread.
    """

    def __init__(self, *, most: int, tables: Sequence[str] = (), may_lag: bool = False) -> None:
        self._most = most
        self._tables = tables
        self._may_lag = may_lag or not tables
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[Database, tuple[int, dict[Hashable, T]]] = WeakKeyDictionary()

    def find(self, database: Database, key: Hashable) -> T | None:
        """What was read for this key since the last write, if anything was."""
        version = self._version(database)
        if version is None:
            return None
        with self._lock:
            return self._current(database, version).get(key)

    def read(self, database: Database, key: Hashable, read: Callable[[], T]) -> T:
        """The same, or what `read` brings now. What it raises is raised."""
        # Taken before reading: what is written meanwhile makes it outdated.
        version = self._version(database)
        if version is None:
            return read()
        with self._lock:
            kept = self._current(database, version)
            if key in kept:
                return kept[key]
        value = read()
        with self._lock:
            kept = self._current(database, version)
            if len(kept) >= self._most:
                kept.clear()
            kept[key] = value
        return value

    def _version(self, database: Database) -> int | None:
        version = database.version_of(*self._tables) if self._tables else None
        return database.version if version is None and self._may_lag else version

    def _current(self, database: Database, version: int) -> dict[Hashable, T]:
        at, kept = self._kept.get(database, (-1, {}))
        if at == version:
            return kept
        # Another thread may be ahead: then this one's value is not kept.
        fresh: dict[Hashable, T] = {}
        if version > at:
            self._kept[database] = (version, fresh)
        return fresh
