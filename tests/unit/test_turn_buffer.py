"""Events of a turn for any number of readers: nobody waits for another, nobody misses a word."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.chat.turn_buffer import Reading, TurnBuffer
from core.providers.events import TextDelta
from tests.support.turns import read_to_end, text_of


def filled(*texts):
    buffer = TurnBuffer()
    for text in texts:
        buffer.append(TextDelta(text))
    return buffer


@pytest.mark.parametrize(
    ("offset", "reading"),
    [
        (0, Reading([TextDelta("a"), TextDelta("b")], 2, ended=False)),
        (1, Reading([TextDelta("b")], 2, ended=False)),
        (2, Reading([], 2, ended=False)),
        (9, Reading([], 9, ended=False)),
    ],
)
def test_a_read_brings_what_came_after_its_offset(offset, reading):
    assert filled("a", "b").read(offset, timeout_s=0) == reading


def test_a_read_after_the_end_does_not_wait():
    buffer = filled("a")
    buffer.end()

    assert buffer.read(0, timeout_s=60) == Reading([TextDelta("a")], 1, ended=True)
    assert buffer.read(1, timeout_s=60) == Reading([], 1, ended=True)


def test_the_end_is_the_last_word():
    buffer = filled("a")
    buffer.end()
    buffer.append(TextDelta("too late"))
    buffer.end()

    assert text_of(read_to_end(buffer)) == "a"


def test_what_a_reader_holds_does_not_change_under_it():
    buffer = filled("a")
    events = buffer.read(0, timeout_s=0).events
    buffer.append(TextDelta("b"))

    assert events == [TextDelta("a")]


@pytest.mark.parametrize(
    ("wake", "reading"),
    [
        (lambda buffer: buffer.append(TextDelta("a")), Reading([TextDelta("a")], 1, ended=False)),
        (lambda buffer: buffer.end(), Reading([], 0, ended=True)),
    ],
    ids=["an event", "the end"],
)
def test_readers_that_wait_are_woken(wake, reading):
    buffer = TurnBuffer()
    ready = threading.Barrier(5)

    def read():
        ready.wait(5)
        return buffer.read(0, timeout_s=5)

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(read) for _ in range(4)]
        ready.wait(5)
        wake(buffer)
        readings = [reader.result(5) for reader in readers]

    assert readings == [reading] * 4


def test_a_read_gives_up_after_its_timeout():
    assert TurnBuffer().read(0, timeout_s=0.01) == Reading([], 0, ended=False)


def test_many_readers_see_every_event_once_and_in_order_whenever_they_come():
    buffer = TurnBuffer()
    words = [f"{number} " for number in range(2000)]

    def write():
        for word in words:
            buffer.append(TextDelta(word))
        buffer.end()

    def read(seed):
        start = random.Random(seed).randrange(3)
        if start:
            buffer.read(start * 500, timeout_s=5)
        return text_of(read_to_end(buffer))

    with ThreadPoolExecutor(9) as threads:
        readers = [threads.submit(read, seed) for seed in range(8)]
        threads.submit(write)
        texts = {reader.result(10) for reader in readers}

    assert texts == {"".join(words)}


def test_waiting_for_the_end_says_whether_it_came():
    buffer = filled("a")
    assert not buffer.wait_until_ended(timeout_s=0.01)

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(buffer.wait_until_ended, timeout_s=5)
        buffer.end()
        assert waiting.result(5)


def test_a_reader_of_several_buffers_is_woken_by_each_and_left_alone_afterwards():
    first, second, woken = TurnBuffer(), TurnBuffer(), threading.Event()
    with first.waking(woken), second.waking(woken):
        second.append(TextDelta("Hi"))
        assert woken.wait(5)
        woken.clear()
        first.end()
        assert woken.wait(5)
        woken.clear()
    second.end()

    assert not woken.is_set()


def test_who_is_woken_can_read_at_once():
    buffer = TurnBuffer()

    class Reader:
        """Reads on another thread as soon as it is woken, and waits for that."""

        read = ""

        def set(self) -> None:
            with ThreadPoolExecutor(1) as threads:
                self.read = text_of(threads.submit(buffer.read, 0, timeout_s=0).result(5).events)

    reader = Reader()
    with buffer.waking(reader):
        buffer.append(TextDelta("Hi"))

    assert reader.read == "Hi"
