"""The renderer of a running answer: from the turn's buffer to the browser, a few dozen repaints a second.

Only the block still being written is sent again; blocks that are done stay as they are. The bytes to the browser then
grow with the answer and not with its square, as they do when the whole text is sent for every chunk.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.chat.turn_buffer import Reading, TurnBuffer
from core.clock import monotonic_ms
from core.providers.events import ReasoningDelta, Retrying, TextDelta
from ui.markdown import literal, renderable, split_blocks

# A good 20 repaints a second look fluent; more only cost CPU, most of it the browser's.
_REPAINT_S = 0.044
# A block that grows very long (a listing) is repainted less often, so that its bytes stay in proportion.
_BYTES_PER_S = 200_000
_SLOWEST_REPAINT_S = 0.25
# From when on a wait is worth a sign of life. Most first words come sooner, and while something moves the browser
# paints them with its next frame only, up to 16 ms later.
_SHIMMER_FROM_S = 1.0
# From when on a wait says how long it has been.
_COUNT_FROM_S = 3
# How long a person may wait for a click to be noticed while nothing arrives.
_YIELD_S = 0.1


@dataclass(frozen=True, slots=True)
class Arrival:
    """What has come since the last one. `retrying`: the attempts have failed so far, and this is what comes next."""

    text: str
    reasoning: str
    ended: bool
    retrying: Retrying | None = None


class BlockPainter:
    """Paints a growing Markdown text into a container, block by block."""

    def __init__(self, container: DeltaGenerator) -> None:
        self._container = container
        self._slot = container.empty()
        self._open = ""

    def add(self, text: str) -> None:
        """Append `text` and repaint what changed."""
        closed, rest = split_blocks(self._open + text)
        for block in closed:
            self._slot.markdown(renderable(block))
            self._slot = self._container.empty()
        if rest and (closed or rest != self._open):
            self._slot.markdown(renderable(rest))
        self._open = rest

    @property
    def interval_s(self) -> float:
        """How long to wait until the next repaint."""
        return min(_SLOWEST_REPAINT_S, max(_REPAINT_S, len(self._open) / _BYTES_PER_S))


def draw_blocks(container: DeltaGenerator, text: str) -> None:
    """Draw a finished text with the elements that BlockPainter leaves behind, so that nothing moves in the browser."""
    closed, rest = split_blocks(text)
    for block in closed:
        container.markdown(renderable(block))
    if rest:
        container.markdown(renderable(rest))
    elif closed:
        container.empty()


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
    )


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


def draw_running(buffer: TurnBuffer, frame: AnswerFrame, *, before: str = "") -> None:
    """Draw a running answer until it ends, behind the text `before` that it goes on with.

    Any interaction of the person ends the drawing early (Streamlit raises through it); the turn itself goes on.
    """
    painter = AnswerPainter(frame, before=before)
    for arrival in arrivals(buffer, pause_s=iter(lambda: painter.interval_s, None)):
        painter.take(arrival)
        notice_clicks()


def notice_clicks() -> None:
    """Let Streamlit interrupt this script if its person has clicked elsewhere: it does so where the state is read."""
    st.session_state.get("_")


class AnswerPainter:
    """Paints a running answer into its frame, behind the text `before` that it goes on with."""

    def __init__(self, frame: AnswerFrame, *, before: str = "") -> None:
        self._frame = frame
        self._body = BlockPainter(frame.body)
        self._body.add(before)
        self._thoughts: BlockPainter | None = None
        self._wait = _Wait(frame.footer)
        self._answering = False

    def take(self, arrival: Arrival) -> None:
        """Paint what has arrived; nothing having arrived is worth saying, too."""
        if arrival.reasoning:
            self._think(arrival.reasoning)
        if arrival.text:
            self._body.add(arrival.text)
        if arrival.retrying:
            self._wait.follow(arrival.retrying)
        elif arrival.reasoning:
            self._wait.hear()
        # The first words come alone: a second change would be drawn before the browser paints them (7 ms, measured).
        if not arrival.text or self._answering:
            self._wait.tick(answering=self._answering)
        self._answering = self._answering or bool(arrival.text)

    @property
    def interval_s(self) -> float:
        """How long to wait until the next repaint."""
        return self._body.interval_s

    def _think(self, text: str) -> None:
        slot = self._frame.reasoning
        self._thoughts = self._thoughts or BlockPainter(draw_reasoning(slot, ":shimmer[Thinking]"))
        self._thoughts.add(text)


def draw_reasoning(slot: DeltaGenerator, label: str) -> DeltaGenerator:
    """A collapsed disclosure for reasoning in `slot`; returns where its text goes."""
    return slot.container().expander(label, type="compact").container()


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

    def tick(self, *, answering: bool) -> None:
        if self._over:
            return
        self._over = answering
        # No shimmer beside moving text: its animation alone costs the browser a tenth of its time.
        words = "Answering" if answering else waiting_words(self._retrying, self._seconds())
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
