"""The renderer of a running answer: from the turn's buffer to the browser, a few dozen repaints a second.

Only the block still being written is sent again; blocks that are done stay as they are. The bytes to the browser then
grow with the answer and not with its square, as they do when the whole text is sent for every chunk.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_status_container import StatusContainer

from core.chat.conversation import ToolUse
from core.chat.turn_buffer import Reading, TurnBuffer
from core.clock import monotonic_ms
from core.providers.events import Event, ReasoningDelta, Retrying, TextDelta, ToolCalled, ToolReturned
from ui.blocks import BlockPainter
from ui.markdown import literal
from ui.steps import draw_use, end_use, reasoning_status, thinking_label

# From when on a wait is worth a sign of life. Most first words come sooner, and while something moves the browser
# paints them with its next frame only, up to 16 ms later.
_SHIMMER_FROM_S = 1.0
# From when on a wait says how long it has been.
_COUNT_FROM_S = 3
# How long a person may wait for a click to be noticed while nothing arrives.
_YIELD_S = 0.1


@dataclass(frozen=True, slots=True)
class Arrival:
    """What has come since the last one. `retrying`: the attempts have failed so far, and this is what comes next.

    `shown` is what stands in the answer, in order: its `text` and the tools between.
    """

    text: str
    reasoning: str
    ended: bool
    retrying: Retrying | None = None
    shown: Sequence[str | ToolCalled | ToolReturned] = ()


def arrivals(buffer: TurnBuffer, *, pause_s: Iterator[float]) -> Iterator[Arrival]:
    """What a buffer brings, from its start to its end; waits `next(pause_s)` seconds between two arrivals.

    While nothing comes, an empty arrival every tenth of a second lets the script notice a click.
    """
    offset = 0
    while True:
        reading = buffer.read(offset, timeout_s=_YIELD_S)
        offset = reading.offset
        yield arrival_of(reading)
        if reading.ended:
            return
        if reading.events:
            time.sleep(next(pause_s))


def arrival_of(reading: Reading) -> Arrival:
    """What one look into a buffer has brought."""
    return Arrival(
        "".join(event.text for event in reading.events if isinstance(event, TextDelta)),
        "".join(event.text for event in reading.events if isinstance(event, ReasoningDelta)),
        reading.ended,
        next((event for event in reversed(reading.events) if isinstance(event, Retrying)), None),
        _shown(reading.events),
    )


def _shown(events: Sequence[Event]) -> Sequence[str | ToolCalled | ToolReturned]:
    shown: list[str | ToolCalled | ToolReturned] = []
    for event in events:
        if isinstance(event, TextDelta):
            before = shown[-1] if shown else None
            if isinstance(before, str):
                shown[-1] = before + event.text
            else:
                shown.append(event.text)
        elif isinstance(event, ToolCalled | ToolReturned):
            shown.append(event)
    return shown


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """The places of an answer on the page. `footer` keeps its line from the start, so that nothing jumps at the end."""

    reasoning: DeltaGenerator
    body: DeltaGenerator
    footer: DeltaGenerator
    problem: DeltaGenerator
    actions: DeltaGenerator


def reserve_frame() -> AnswerFrame:
    """Claim the places of an answer, in order, where the script stands.

    All of them, also those that stay empty: what an earlier run drew in a place nobody claims shows, faded, until this
    run ends, and this run may last as long as the answer.
    """
    return AnswerFrame(st.empty(), st.container(), st.empty(), st.empty(), st.empty())


def draw_running(
    buffer: TurnBuffer, frame: AnswerFrame, *, before: str = "", thought_ms: Callable[[], float] = lambda: 0.0
) -> None:
    """Draw a running answer until it ends, behind the text `before` that it goes on with.

    Any interaction of the person ends the drawing early (Streamlit raises through it); the turn itself goes on.
    """
    painter = AnswerPainter(frame, before=before, thought_ms=thought_ms)
    for arrival in arrivals(buffer, pause_s=iter(lambda: painter.interval_s, None)):
        painter.take(arrival)
        notice_clicks()


def notice_clicks() -> None:
    """Let Streamlit interrupt this script if its person has clicked elsewhere: it does so where the state is read."""
    st.session_state.get("_")


class AnswerPainter:
    """Paints a running answer into its frame, behind the text `before` that it goes on with.

    `thought_ms` says how long the model has been thinking.
    """

    def __init__(self, frame: AnswerFrame, *, before: str = "", thought_ms: Callable[[], float] = lambda: 0.0) -> None:
        self._frame = frame
        self._body = BlockPainter(frame.body)
        self._body.add(before)
        self._thoughts: Thoughts | None = None
        self._thought_ms = thought_ms
        self._running: deque[tuple[StatusContainer, ToolUse]] = deque()
        # Tools have returned: what comes next stands below them.
        self._below = False
        self._wait = _Wait(frame.footer)
        self._answering = False

    def take(self, arrival: Arrival) -> None:
        """Paint what has arrived; nothing having arrived is worth saying, too."""
        if arrival.reasoning:
            self._think(arrival.reasoning)
        for shown in arrival.shown:
            self._show(shown)
        if arrival.ended:
            self._end()
        if arrival.retrying:
            self._wait.follow(arrival.retrying)
        elif arrival.reasoning:
            self._wait.hear()
        # The first words come alone: a second change would be drawn before the browser paints them (7 ms, measured).
        if not arrival.text or self._answering:
            self._wait.tick(answering=self._answering, tools=bool(self._running))
        self._answering = self._answering or bool(arrival.text)

    @property
    def interval_s(self) -> float:
        """How long to wait until the next repaint."""
        return self._body.interval_s

    def _think(self, text: str) -> None:
        if self._thoughts is None:
            self._thoughts = Thoughts(self._frame.reasoning)
        self._thoughts.add(text, thought_ms=self._thought_ms())

    def _show(self, shown: str | ToolCalled | ToolReturned) -> None:
        if isinstance(shown, ToolReturned):
            self._below = True
            if self._running:
                status, use = self._running.popleft()
                end_use(status, replace(use, result=shown.text, failed=shown.failed, duration_ms=shown.duration_ms))
            return
        if self._below:
            self._body, self._below = BlockPainter(self._frame.body), False
        if isinstance(shown, str):
            self._body.add(shown)
            return
        use = ToolUse(name=shown.call.name, arguments=shown.call.arguments)
        self._running.append((draw_use(self._frame.body, use.name, use.arguments, running=True), use))
        if self._thoughts is not None:
            self._thoughts.pause()

    def _end(self) -> None:
        while self._running:
            end_use(*self._running.popleft())


class Thoughts:
    """Paints reasoning as it comes, collapsed, under a line that says how long and how much."""

    def __init__(self, slot: DeltaGenerator) -> None:
        self._label = thinking_label(0, 0)
        self._status = reasoning_status(slot, self._label, running=True)
        self._text = BlockPainter(self._status.container())
        self._characters = 0
        self._paused = False

    def add(self, text: str, *, thought_ms: float) -> None:
        """Append `text`; what comes after tools begins a paragraph."""
        self._text.add(f"\n\n{text}" if self._paused else text)
        self._characters, self._paused = self._characters + len(text), False
        label = thinking_label(thought_ms, self._characters)
        # Once a second is enough for a clock, and every change is sent to the browser.
        if label.partition(",")[0] != self._label.partition(",")[0]:
            self._status.update(label=label)
            self._label = label

    def pause(self) -> None:
        """Tools are being called."""
        self._paused = True


class _Wait:
    """Says what the page waits for, and for how long, until the first word comes."""

    def __init__(self, slot: DeltaGenerator) -> None:
        self._slot = slot
        self._started_ms = monotonic_ms()
        self._retrying: Retrying | None = None
        self._shown = ""
        self._over = False

    def follow(self, retrying: Retrying) -> None:
        """Nothing has come and another attempt follows."""
        self._retrying, self._started_ms = retrying, monotonic_ms()

    def hear(self) -> None:
        """The model thinks: what failed before is no longer what the page waits for."""
        self._retrying = None

    def tick(self, *, answering: bool, tools: bool = False) -> None:
        if self._over:
            return
        self._over = answering and not tools
        # No shimmer beside moving text: its animation alone costs the browser a tenth of its time.
        words = "Answering" if answering else waiting_words(self._retrying, self._seconds())
        words = "Using tools" if tools else words
        if words != self._shown:
            self._slot.caption(words)
            self._shown = words

    def _seconds(self) -> float:
        return (monotonic_ms() - self._started_ms) / 1000


def waiting_words(retrying: Retrying | None, waited_s: float) -> str:
    """The line while nothing has come, `waited_s` seconds after the start or after the last failure."""
    if retrying is None:
        words = "Waiting for the first word"
        return words if waited_s < _SHIMMER_FROM_S else f":shimmer[{words}]{_counted(waited_s)}"
    reason = literal(retrying.reason)
    if retrying.instead:
        return f":shimmer[{reason}, asking {literal(retrying.model_label)} instead]{_counted(waited_s)}"
    left_s = retrying.wait_s - waited_s
    if left_s > 0:
        return f":shimmer[{reason}, trying again in {math.ceil(left_s)} s]"
    return f":shimmer[{reason}, trying again]{_counted(-left_s)}"


def _counted(waited_s: float) -> str:
    return f" {int(waited_s)} s" if waited_s >= _COUNT_FROM_S else ""
