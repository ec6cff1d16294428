"""Several running answers drawn at once, on the page's own script thread.

One loop empties all buffers and paints what has come: half the processor time of a thread for each column, and no
Streamlit outside its own thread. Every turn runs on the engine whether it is drawn or not, so a slow column holds up
none of the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from core.chat.turns import LiveTurn
from core.clock import utc_now
from ui.answer import AnswerFrame, AnswerPainter, arrival_of, notice_clicks

# How long a person may wait for a click to be noticed while nothing arrives.
_YIELD_S = 0.1
# What a column more adds to the pause between two repaints: the browser paints them one after the other.
_MORE_S = 0.008
_SLOWEST_S = 0.25


@dataclass(frozen=True, slots=True)
class Running:
    """A running answer, its places on the page, and what to do when it has ended; `before` is what it goes on with."""

    live: LiveTurn
    frame: AnswerFrame
    end: Callable[[], None]
    before: str = ""


class _Drain:
    """One buffer being emptied into its frame."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._painter = AnswerPainter(
            running.frame, before=running.before, thought_ms=lambda: running.live.thought_until(utc_now())
        )
        self._offset = 0
        self.ended = False
        self.moved = False

    def look(self) -> None:
        """Paint what has come since the last look."""
        reading = self._running.live.buffer.read(self._offset, timeout_s=0)
        self._offset, self.ended, self.moved = reading.offset, reading.ended, bool(reading.events)
        self._painter.take(arrival_of(reading))
        if self.ended:
            self._running.end()

    @property
    def interval_s(self) -> float:
        return self._painter.interval_s


def draw_all(running: Sequence[Running]) -> None:
    """Draw running answers until all have ended.

    Any interaction of the person ends the drawing early (Streamlit raises through it); the turns go on.
    """
    woken = threading.Event()
    drains = [_Drain(one) for one in running]
    with ExitStack() as stack:
        for one in running:
            stack.enter_context(one.live.buffer.waking(woken))
        while drains:
            woken.clear()
            for drain in drains:
                drain.look()
            moved = [drain for drain in drains if drain.moved]
            drains = [drain for drain in drains if not drain.ended]
            notice_clicks()
            if moved:
                time.sleep(min(_SLOWEST_S, max(drain.interval_s for drain in moved) + _MORE_S * (len(moved) - 1)))
            elif drains:
                woken.wait(_YIELD_S)
