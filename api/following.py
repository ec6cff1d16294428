"""Reading a running turn from an event loop, and noticing that its caller has left."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import inf
from weakref import WeakKeyDictionary, ref

from starlette.requests import Request

from core.chat.live_turn import LiveTurn
from core.chat.turns import TurnEngine
from core.providers.events import Event, Finished, ReasoningDelta, TextDelta, ToolCallPiece

# How long news waits for more after the last. Nobody sees it, and twenty streams at once then share a waking.
_GATHERED_S = 0.004


class _Doorman:
    """Brings the news of other threads to the readers on one loop. Waking a loop costs system calls of both threads.

    So what comes while a waking is on its way goes with it, and after one the next waits for more to come.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Kept by the loop's name below, it must not keep the loop.
        self._loop = ref(loop)
        self._rung: deque[asyncio.Event] = deque()
        self._on_its_way = False
        self._woken_at = self._gathers_until = -inf

    def ring(self, rung: asyncio.Event, *, at_once: bool) -> None:
        """Set an event of the loop soon; a loop that has closed has no reader any more. From any thread."""
        # Added before looking, and taken out below after the mark is gone: no event is left behind.
        self._rung.append(rung)
        if self._on_its_way:
            return
        wait_s, here = self._woken_at + _GATHERED_S - time.monotonic(), _running_loop()
        if at_once or wait_s <= 0 or here is None:
            self._wake()
        elif self._gathers_until <= self._woken_at:
            self._gathers_until = self._woken_at + _GATHERED_S
            here.call_later(wait_s, self._wake)

    def _wake(self) -> None:
        # Whoever wakes: nothing is gathered any more, also where a waking of another thread is on its way.
        loop, self._gathers_until = self._loop(), -inf
        if self._on_its_way or loop is None:
            return
        self._on_its_way, self._woken_at = True, time.monotonic()
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._open)

    def _open(self) -> None:
        self._on_its_way = False
        while self._rung:
            self._rung.popleft().set()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


_DOORMEN: WeakKeyDictionary[asyncio.AbstractEventLoop, _Doorman] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Bell:
    """What the engine's thread rings for a reader on another loop."""

    doorman: _Doorman
    follower: Follower

    def set(self) -> None:
        """Ring."""
        follower = self.follower
        # Rung already, the reader finds what has come when it reads next.
        if not follower.rung.is_set() and (follower.ended_by_now or not follower.only_the_end):
            self.doorman.ring(follower.rung, at_once=follower.ended_by_now or not follower.has_begun)


class Follower:
    """A reader of one turn, on the loop that it is used on."""

    def __init__(self, live: LiveTurn) -> None:
        self._live = live
        self.rung = asyncio.Event()
        self._offset = 0
        self._kept: list[Event] = []
        self.ended = False
        # Whether the first words were waited for; and whether nothing but the end is.
        self.has_begun = False
        self.only_the_end = False
        # When the wait under way is over, on the loop's clock; and what looks whether it is.
        self._late_at, self._late = inf, False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def ended_by_now(self) -> bool:
        """Whether the turn has ended, read to its end or not. From any thread."""
        return self._live.buffer.ended

    async def read(self, *, timeout_s: float | None = None) -> Sequence[Event]:
        """What has come since the last read; empty when nothing came in time or the turn has ended."""
        if self._kept:
            events, self._kept = self._kept, []
            return events
        while True:
            self.rung.clear()
            reading = self._live.buffer.read(self._offset, timeout_s=0)
            self._offset, self.ended = reading.offset, reading.ended
            if reading.events or reading.ended:
                return reading.events
            if not await self._wait(timeout_s):
                return ()

    async def _wait(self, timeout_s: float | None) -> bool:
        """Wait for the bell; False when it did not ring in time."""
        if timeout_s is None:
            return await self.rung.wait()
        loop = asyncio.get_running_loop()
        self._late, self._late_at = False, loop.time() + timeout_s
        # One alarm goes on from wait to wait: to set and cancel one for every word would cost as much as the word.
        if self._alarm is None or self._alarm.when() > self._late_at:
            self.forget()
            self._alarm = loop.call_at(self._late_at, self._ring_when_late)
        await self.rung.wait()
        self._late_at = inf
        return not self._late

    def _ring_when_late(self) -> None:
        loop, self._alarm = asyncio.get_running_loop(), None
        if loop.time() >= self._late_at:
            self._late = True
            self.rung.set()
        elif self._late_at < inf:
            self._alarm = loop.call_at(self._late_at, self._ring_when_late)

    def forget(self) -> None:
        """Call the alarm off."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    @property
    def has_words(self) -> bool:
        """Whether words are kept for the next read."""
        return any(map(_tells, self._kept))

    async def wait_for_words(self, *, timeout_s: float) -> None:
        """Wait until the model says something or the turn ends, at most so long. What was read is kept."""
        seen: list[Event] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self.ended and not any(map(_tells, seen)):
                    seen += await self.read()
        self._kept, self.has_begun = seen, True

    async def wait_until_ended(self) -> None:
        """Wait for the end; what comes until then is for nobody."""
        self.only_the_end = True
        while not self.ended:
            await self.read()


@asynccontextmanager
async def following(live: LiveTurn) -> AsyncIterator[Follower]:
    """A reader of a turn."""
    follower, loop = Follower(live), asyncio.get_running_loop()
    doorman = _DOORMEN.get(loop) or _DOORMEN.setdefault(loop, _Doorman(loop))
    # The buffer only ever asks it to ring.
    with live.buffer.waking(_Bell(doorman, follower)):
        try:
            yield follower
        finally:
            follower.forget()


@asynccontextmanager
async def stopping_for_absent(request: Request, live: LiveTurn, engine: TurnEngine) -> AsyncIterator[None]:
    """Within the block, the turn is stopped when the caller leaves. The body has to have been read."""
    watch = asyncio.create_task(_stop_when_gone(request, live, engine))
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _stop_when_gone(request: Request, live: LiveTurn, engine: TurnEngine) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    engine.stop(live)


def _tells(event: Event) -> bool:
    return isinstance(event, TextDelta | ReasoningDelta | ToolCallPiece | Finished)
