"""A gateway that plays scripts instead of calling anybody: the test double that ships with the app.

    gateway = ScriptedGateway()
    gate = Gate()
    gateway.enqueue("gpt", *answer("Hello there"))
    gateway.enqueue("gpt", TextDelta("Hel"), gate, ProviderError(ErrorClass.STALL, "..."))

Nothing sleeps unless a script says `Pause`; a `Gate` holds a stream exactly where a test wants it. All of it may be
used from any thread: the engine's loop is on another one than the test.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from core.errors import ErrorClass, ProviderError
from core.providers.events import Event, Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import CompletionRequest


class Gate:
    """A point that a stream reaches and does not pass until `open()` is called, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reached = threading.Event()
        self._open = False
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self) -> None:
        """Let every stream pass, those that wait here and those to come."""
        with self._lock:
            self._open = True
            waiters, self._waiters = self._waiters, []
        for loop, event in waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def wait_until_reached(self, timeout_s: float = 5.0) -> bool:
        """Block this thread until a stream stands at the gate; False when none came in time."""
        return self._reached.wait(timeout_s)

    async def pass_through(self) -> None:
        """Wait, on the running loop, until the gate is open."""
        event = asyncio.Event()
        with self._lock:
            self._reached.set()
            if self._open:
                return
            self._waiters.append((asyncio.get_running_loop(), event))
        await event.wait()


@dataclass(frozen=True, slots=True)
class Pause:
    """Real time between two steps, for demonstrations and benchmarks; tests use a Gate."""

    seconds: float


Step = Event | Gate | Pause | ProviderError
Script = Sequence[Step]


class ScriptedGateway:
    """Plays, per model id, the scripts enqueued for it, in order.

    A call without a script gets `fallback(request)`; without a fallback it fails with ProviderError INTERNAL, so that
    an unexpected call shows. `history` holds every request, `abandoned` the model ids of streams that were closed
    before they were finished.
    """

    def __init__(self, *, fallback: Callable[[CompletionRequest], Script] | None = None) -> None:
        self._fallback = fallback
        self._lock = threading.Lock()
        self._scripts: dict[str, deque[Script]] = {}
        self._history: list[CompletionRequest] = []
        self._abandoned: list[str] = []
        self._abandoned_changed = threading.Condition(self._lock)

    @property
    def history(self) -> tuple[CompletionRequest, ...]:
        """Every request so far, oldest first."""
        with self._lock:
            return tuple(self._history)

    @property
    def abandoned(self) -> tuple[str, ...]:
        """Model ids of the streams closed early, oldest first."""
        with self._lock:
            return tuple(self._abandoned)

    def wait_until_abandoned(self, count: int = 1, timeout_s: float = 5.0) -> bool:
        """Block this thread until `count` streams were closed early; False when they were not in time."""
        with self._abandoned_changed:
            return self._abandoned_changed.wait_for(lambda: len(self._abandoned) >= count, timeout_s)

    def enqueue(self, model_id: str, *steps: Step) -> None:
        """Add the script of the next unscripted call to `model_id`."""
        with self._lock:
            self._scripts.setdefault(model_id, deque()).append(steps)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[Event, None]:
        """Play the next script of `request.model.id`. Raises the ProviderError in it."""
        steps = self._next_script(request)
        ended = False
        try:
            for step in steps:
                if isinstance(step, ProviderError):
                    ended = True
                    raise step
                if isinstance(step, Gate):
                    await step.pass_through()
                elif isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                else:
                    ended = ended or isinstance(step, Finished)  # a reader may leave once it has the end
                    yield step
            ended = True
        finally:
            if not ended:
                self._record_abandoned(request.model.id)

    def _next_script(self, request: CompletionRequest) -> Script:
        with self._lock:
            self._history.append(request)
            scripts = self._scripts.get(request.model.id)
            if scripts:
                return scripts.popleft()
        if self._fallback is not None:
            return self._fallback(request)
        raise ProviderError(ErrorClass.INTERNAL, f"No script is left for {request.model.id}.", next_step="Enqueue one.")

    def _record_abandoned(self, model_id: str) -> None:
        with self._abandoned_changed:
            self._abandoned.append(model_id)
            self._abandoned_changed.notify_all()


def answer(
    text: str,
    *,
    reasoning: str = "",
    served_model: str | None = None,
    input_tokens: int = 10,
    usage: Usage | None = None,
    finish_reason: str | None = "stop",
) -> Script:
    """A whole answer as a script: `text` word by word, each word counted as one token unless `usage` is given.

    `finish_reason=None` leaves the stream broken.
    """
    words = text.split(" ")
    pieces = [word if index == 0 else f" {word}" for index, word in enumerate(words)]
    thinking = [ReasoningDelta(reasoning)] if reasoning else []
    counted = usage or Usage(input_tokens=input_tokens, output_tokens=len(words))
    end = [Finished(finish_reason)] if finish_reason else []
    return (Started(served_model), *thinking, *(TextDelta(piece) for piece in pieces), counted, *end)
