"""What several threads write at the same time, in one transaction, whose beginning and end cost as much as a row."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Writes items of one kind. Safe to use from any thread; nobody waits longer than for the transaction before."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]], *, one_by_one: bool = False) -> None:
        """`write` writes some items, at least one, in one transaction and returns what came of each.

        `one_by_one`: every item has a transaction of its own all the same. So it is on a shared store, where one may
        wait for a row that another process holds, and the others should not.
        """
        self._write = write
        self._one_by_one = one_by_one
        self._waiting: deque[tuple[T, Future[R]]] = deque()
        self._writing = threading.Lock()

    def add(self, item: T) -> R:
        """Write an item, with those that other threads want written meanwhile. Returns once it is committed.

        Raises what `write` raises for this item; what is wrong with others is not its business.
        """
        if self._one_by_one:
            [result] = self._write([item])
            return result
        written: Future[R] = Future()
        self._waiting.append((item, written))
        with self._writing:
            # Whoever had the lock before may have taken it along.
            if not written.done():
                self._write_waiting()
        return written.result()

    def _write_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        # Nothing may get past: who waits for an item waits for ever.
        try:
            results = self._write([item for item, _ in batch])
        except BaseException as error:
            self._write_each(batch, error)
            return
        for (_, written), result in zip(batch, results, strict=True):
            written.set_result(result)

    def _write_each(self, batch: Sequence[tuple[T, Future[R]]], together: BaseException) -> None:
        """Nothing of the batch was written: find out what is wrong with whom."""
        if len(batch) == 1:
            batch[0][1].set_exception(together)
            return
        for item, written in batch:
            try:
                [result] = self._write([item])
            except BaseException as error:
                written.set_exception(error)
            else:
                written.set_result(result)
