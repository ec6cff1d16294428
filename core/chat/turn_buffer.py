"""The events of a running turn, kept for any number of readers.

A reader asks for what came after its offset and waits when there is nothing: no reader can slow the provider or
another reader, and one that comes late (a reload, a second tab) sees everything from the start.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from core.providers.events import Event


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read brought: the new events, the offset to ask from next, and whether the turn has ended."""

    events: Sequence[Event]
    offset: int
    ended: bool


class Wakes(Protocol):
    """What is woken: a `threading.Event`, or what carries the news to an event loop. `set` neither waits nor raises."""

    def set(self) -> None:
        """Something has come."""


class TurnBuffer:
    """An append-only list of events with waiting readers. Safe between threads."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._ended = False
        self._changed = threading.Condition()
        # Readers of several buffers: each has one event for all of them.
        self._waking: tuple[Wakes, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the turn has ended."""
        return self._ended

    def append(self, event: Event) -> None:
        """Add an event and wake the readers. After the end it does nothing: readers have been told the last word."""
        with self._changed:
            if self._ended:
                return
            self._events.append(event)
            waking = self._tell()
        _wake(waking)

    def end(self) -> None:
        """No event will follow."""
        with self._changed:
            self._ended = True
            waking = self._tell()
        _wake(waking)

    @contextmanager
    def waking(self, event: Wakes) -> Iterator[None]:
        """Within the block, `event` is set whenever something comes or the turn ends: for a reader of several buffers.

        Such a reader clears the event, reads every buffer without waiting, and then waits for the event. It may be set
        once more after the block.
        """
        with self._changed:
            self._waking = (*self._waking, event)
        try:
            yield
        finally:
            with self._changed:
                self._waking = tuple(other for other in self._waking if other is not event)

    def _tell(self) -> tuple[Wakes, ...]:
        """Wake who waits here; whom else to wake once the lock is free."""
        self._changed.notify_all()
        return self._waking

    def read(self, offset: int, *, timeout_s: float) -> Reading:
        """The events after `offset`, waiting at most `timeout_s` for the first new one or the end."""
        if timeout_s <= 0:
            # Without the lock, which the writer may have: after the end nothing is added, so it is looked at first.
            ended = self._ended
            events = self._events[offset:]
            return Reading(events, offset + len(events), ended)
        with self._changed:
            self._changed.wait_for(lambda: len(self._events) > offset or self._ended, timeout_s)
            events = self._events[offset:]
            return Reading(events, offset + len(events), self._ended)

    def wait_until_ended(self, *, timeout_s: float) -> bool:
        """Wait for the end of the turn; False when it did not come in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ended, timeout_s)


def _wake(waking: tuple[Wakes, ...]) -> None:
    # Not within the lock: who is woken reads at once, and would wait for it.
    for event in waking:
        event.set()
