"""An asyncio loop in a thread of its own, for the whole process."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class LoopThread:
    """A running loop. `call` and `close` may be used from any other thread.

    `on_close` runs on the loop as its last work; what it raises is logged.
    """

    def __init__(self, name: str, *, on_close: Callable[[], Awaitable[object]] | None = None) -> None:
        self._on_close = on_close
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        # Of one thread twice: a signal can come while the main thread has it, and asks for work here.
        self._lock = threading.RLock()
        self._started = threading.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._started.wait()

    @property
    def alive(self) -> bool:
        """Whether the loop runs."""
        return self._loop is not None and self._thread.is_alive()

    def call(self, function: Callable[..., object], *arguments: object) -> bool:
        """Run `function` on the loop soon; False when the loop is closed."""
        with self._lock:
            if self._loop is None:
                return False
            self._loop.call_soon_threadsafe(function, *arguments)
            return True

    def spawn(self, coroutine: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Start a task. To be called on the loop."""
        # The loop keeps only weak references to tasks: this set keeps one from being collected while it runs.
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self, *, timeout_s: float) -> bool:
        """Cancel what runs and end the thread; False when something there did not let go in time."""
        if self._over is not None:
            self.call(self._over.set)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        # Its end cancels the remaining tasks and closes async generators and the loop's own executor.
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        await self._over.wait()
        with self._lock:
            self._loop = None
        if self._on_close is not None:
            try:
                await self._on_close()
            except Exception:
                log.exception("the last work of a loop failed")


async def logged(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Await work that nobody waits for: a failure of it is logged, and no turn may suffer from it."""
    try:
        await work()
    except Exception:
        log.warning("work beside the turns failed", exc_info=True)
