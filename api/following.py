"""Reading a running turn from an event loop, and noticing that its caller has left."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary, ref

from starlette.requests import Request

from core.chat.live_turn import LiveTurn
from core.chat.turns import TurnEngine
from core.providers.events import Event, Finished, ReasoningDelta, TextDelta, ToolCallPiece


class _Doorman:
    """Brings the news of other threads to the readers on one loop. Waking a loop costs system calls of both threads.

    So what comes while a waking is on its way goes with it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Kept by the loop's name below, it must not keep the loop.
        self._loop = ref(loop)
        self._rung: deque[asyncio.Event] = deque()
        self._on_its_way = False

    def ring(self, rung: asyncio.Event) -> None:
        """Set an event of the loop soon; a loop that has closed has no reader any more. From any thread."""
        # Added before looking, and taken out below after the mark is gone: no event is left behind.
        self._rung.append(rung)
        if not self._on_its_way:
            self._on_its_way = True
            loop = self._loop()
            if loop is not None:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._open)

    def _open(self) -> None:
        self._on_its_way = False
        while self._rung:
            self._rung.popleft().set()


_DOORMEN: WeakKeyDictionary[asyncio.AbstractEventLoop, _Doorman] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Bell:
    """What the engine's thread rings for a reader on another loop."""

    doorman: _Doorman
    rung: asyncio.Event

    def set(self) -> None:
        """Ring."""
        # Rung already, the reader finds what has come when it reads next.
        if not self.rung.is_set():
            self.doorman.ring(self.rung)


class Follower:
    """A reader of one turn, on the loop that it is used on."""

    def __init__(self, live: LiveTurn, rung: asyncio.Event) -> None:
        self._live = live
        self._rung = rung
        self._offset = 0
        self._kept: list[Event] = []
        self.ended = False

    async def read(self, *, timeout_s: float | None = None) -> Sequence[Event]:
        """What has come since the last read; empty when nothing came in time or the turn has ended."""
        if self._kept:
            events, self._kept = self._kept, []
            return events
        while True:
            self._rung.clear()
            reading = self._live.buffer.read(self._offset, timeout_s=0)
            self._offset, self.ended = reading.offset, reading.ended
            if reading.events or reading.ended:
                return reading.events
            if not await self._wait(timeout_s):
                return ()

    async def _wait(self, timeout_s: float | None) -> bool:
        """Wait for the bell; False when it did not ring in time. Without the task that `wait_for` makes each time."""
        if timeout_s is None:
            return await self._rung.wait()
        late = False

        def ring() -> None:
            nonlocal late
            late = True
            self._rung.set()

        timer = asyncio.get_running_loop().call_later(timeout_s, ring)
        try:
            await self._rung.wait()
        finally:
            timer.cancel()
        return not late

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
        self._kept = seen

    async def wait_until_ended(self) -> None:
        """Wait for the end; what comes until then is for nobody."""
        while not self.ended:
            await self.read()


@asynccontextmanager
async def following(live: LiveTurn) -> AsyncIterator[Follower]:
    """A reader of a turn."""
    rung, loop = asyncio.Event(), asyncio.get_running_loop()
    doorman = _DOORMEN.get(loop) or _DOORMEN.setdefault(loop, _Doorman(loop))
    # The buffer only ever asks it to ring.
    with live.buffer.waking(_Bell(doorman, rung)):
        yield Follower(live, rung)


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
