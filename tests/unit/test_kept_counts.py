"""Token counts that are kept: each text is counted once."""

from __future__ import annotations

from threading import Event

from core.costs.kept_counts import COUNTED_AT_ONCE_BYTES, KeptCounts


class Counter:
    """Counts words, remembers what it was asked, and waits where it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_go_on = Event()
        self.may_go_on.set()

    def __call__(self, text: str) -> int:
        self.may_go_on.wait(10)
        self.asked.append(text)
        return len(text.split())


def test_a_text_is_counted_once() -> None:
    counter = Counter()
    kept = KeptCounts(count=counter)

    assert [kept.exactly("one two"), kept.quickly(["one two", "three"]), kept.quickly(["three"])] == [2, [2, 1], [1]]
    assert counter.asked == ["one two", "three"]


def test_a_long_text_is_about_its_bytes_until_it_is_counted_in_the_background() -> None:
    counter = Counter()
    kept = KeptCounts(count=counter)
    counter.may_go_on.clear()
    long = "word " * COUNTED_AT_ONCE_BYTES

    assert kept.quickly([long]) == [len(long) // 4]
    counter.may_go_on.set()
    kept.wait(10)

    assert kept.quickly([long]) == [COUNTED_AT_ONCE_BYTES]


def test_what_was_not_asked_for_the_longest_is_forgotten_first() -> None:
    counter = Counter()
    kept = KeptCounts(count=counter, most=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        kept.exactly(text)

    assert counter.asked == ["a", "b", "c", "b"]


def test_half_a_surrogate_pair_is_counted_too() -> None:
    assert KeptCounts().exactly("\ud800") >= 1
