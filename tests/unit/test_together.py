"""What threads write at the same time goes in one transaction, and each hears about its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.store.together import Together
from tests.support.turns import wait_until


class Store:
    """Writes while its gate is open; a negative number is refused, with all that came along."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.entered, self.gate = threading.Event(), threading.Event()

    def write(self, items: Sequence[int]) -> Sequence[int]:
        self.entered.set()
        assert self.gate.wait(5)
        if any(item < 0 for item in items):
            raise ValueError(f"refused: {sorted(items)}")
        self.batches.append(list(items))
        return [item * 10 for item in items]


def waiting(together: Together[int, int]) -> int:
    return len(together._waiting)


def test_what_comes_while_something_is_written_is_written_together_next() -> None:
    store = Store()
    together = Together(store.write)
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(together.add, 0)
        assert store.entered.wait(5)
        others = [threads.submit(together.add, number) for number in range(1, 6)]
        assert wait_until(lambda: waiting(together) == 5)
        store.gate.set()

        assert [first.result(5), *(other.result(5) for other in others)] == [0, 10, 20, 30, 40, 50]
    assert [sorted(batch) for batch in store.batches] == [[0], [1, 2, 3, 4, 5]]


def test_what_is_refused_takes_nobody_along() -> None:
    store = Store()
    together = Together(store.write)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(together.add, 0)
        assert store.entered.wait(5)
        good, bad, better = (threads.submit(together.add, number) for number in (1, -2, 3))
        assert wait_until(lambda: waiting(together) == 3)
        store.gate.set()

        assert [first.result(5), good.result(5), better.result(5)] == [0, 10, 30]
        with pytest.raises(ValueError, match=r"refused: \[-2\]"):
            bad.result(5)
    with pytest.raises(ValueError, match=r"refused: \[-4\]"):
        together.add(-4)
    assert together.add(5) == 50


def test_one_by_one_nobody_waits_for_anybody() -> None:
    store = Store()
    together = Together(store.write, one_by_one=True)
    with ThreadPoolExecutor(2) as threads:
        numbers = [threads.submit(together.add, number) for number in (1, 2)]
        store.gate.set()

        assert [number.result(5) for number in numbers] == [10, 20]
    assert sorted(map(list, store.batches)) == [[1], [2]]
