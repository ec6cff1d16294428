"""What a report reads from: the store itself, or its copy for analytics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from core.store.database import Cursor, Row

T = TypeVar("T")


class Reader(Protocol):
    """The reading half of `Database`. The views `ledger` and `measured_calls` are there."""

    def cursor(self) -> AbstractContextManager[Cursor]:
        """A cursor that lives as long as the block."""

    def snapshot(self, work: Callable[[Cursor], T]) -> T:
        """Run several queries as of one moment and return what `work` returns. It must not write."""

    def fetch_all(self, sql: str, **parameters: Any) -> list[Row]:
        """All rows of one query, on a cursor of its own."""
