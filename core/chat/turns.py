"""The turn engine: answers are written on one background asyncio loop, outside any page.

Switching page, reloading or losing the connection does not stop a turn. Pages and routes start turns, read their
buffers from an offset and stop them; the store holds the question before the provider is called and the answer, the
ledger rows of its attempts and the turn's end in one transaction afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from core.catalog.models import ModelSpec
from core.chat.admission import TurnRequest, busy, check_model, stopping
from core.chat.answer_cache import AnswerCache
from core.chat.ending import answer_or_end
from core.chat.engine_setup import EngineSetup, build_asking, build_beginning, build_writer
from core.chat.live_turn import LiveTurn
from core.chat.loop_thread import LoopThread, logged
from core.errors import StoreError, SwitchboardError
from core.ids import new_id

__all__ = ["EngineSetup", "LiveTurn", "TurnEngine"]

log = logging.getLogger(__name__)


class TurnEngine:
    """Runs turns. One per process; safe to use from any thread."""

    def __init__(self, setup: EngineSetup) -> None:
        """Start the engine's loop."""
        cache = AnswerCache(setup.database, clock=setup.clock)
        self._after_answer, self._elsewhere = setup.after_answer, setup.elsewhere
        self._asking = build_asking(setup, cache)
        self.limits, self.circuit = self._asking.limits, self._asking.circuits
        self._beginning = build_beginning(setup, self._asking)
        self._writer = build_writer(setup, cache)
        # By conversation.
        self._live: dict[str, LiveTurn] = {}
        # (user, conversation): with the user in it, nobody can hold up or find out about somebody else's conversation.
        self._claimed: set[tuple[str, str]] = set()
        self._changed = threading.Condition()
        self._closing = False
        # No new turn is taken any more, and the running ones come to their end.
        self.draining = False
        self._loop = LoopThread("turn-engine", on_close=setup.on_close)

    def start(self, request: TurnRequest) -> LiveTurn:
        """Store the question and begin to answer it.

        Raises TurnRefused or StoreError (nothing stored, nothing spent), or NotFound for somebody else's conversation.
        """
        model = check_model(request.model_id, self._asking.find_model)
        self._asking.refuse(model, request.user_id)
        conversation_id = request.conversation_id or (request.begins.conversation_id if request.begins else new_id())
        self._claim(request.user_id, conversation_id)
        try:
            live = self._store_begin(request, model, conversation_id)
        except BaseException as error:
            self._release(request.user_id, conversation_id)
            if isinstance(error, SwitchboardError) or not isinstance(error, Exception):
                raise
            raise _not_stored(error) from error
        self._loop.call(self._spawn, live)
        return live

    def find(self, conversation_id: str) -> LiveTurn | None:
        """The turn that is being answered in a conversation, here or on another replica, if there is one."""
        with self._changed:
            own = self._live.get(conversation_id)
        return own or self._elsewhere.find(conversation_id)

    def running(self) -> frozenset[str]:
        """The ids of the conversations that are being answered."""
        return self.running_here() | self._elsewhere.running()

    def running_here(self) -> frozenset[str]:
        """Those of them that this process answers."""
        with self._changed:
            return frozenset(self._live)

    def serving(self) -> bool:
        """Whether turns can be started."""
        return not self._closing and not self.draining and self._loop.alive

    def stop(self, live: LiveTurn) -> None:
        """Close the upstream connection of a turn; what had arrived is kept and priced. Returns at once."""
        if self._elsewhere.owner is not None and live.ids.conversation not in self.running_here():
            self._elsewhere.stop(live)
        else:
            self._loop.call(live.end_early, "stopped")

    def stop_by_id(self, turn_id: str) -> None:
        """Stop a turn of this process, if it still runs: somebody asked for it elsewhere."""
        with self._changed:
            found = next((live for live in self._live.values() if live.ids.turn == turn_id), None)
        if found is not None:
            self.stop(found)

    def drain(self, *, grace_s: float) -> bool:
        """Refuse new turns and wait for the running ones; False when some still run after `grace_s` seconds."""
        with self._changed:
            self.draining = True
            return self._changed.wait_for(lambda: not self._claimed, grace_s)

    def interrupt(self) -> None:
        """End every running turn of this process and refuse new ones. Returns at once; `close` waits for their rows."""
        with self._changed:
            self.draining = True
            running = list(self._live.values())
        for live in running:
            self._loop.call(live.end_early, "interrupted")

    async def save_regularly(self) -> None:
        """Store the ends of turns that the store refused as soon as it takes them. For the background."""
        await self._writer.save_regularly()

    def run_aside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine on the engine's loop, beside the turns. A failure is logged. Returns at once."""
        self._loop.call(lambda: self._loop.spawn(logged(work), name="aside"))

    def close(self, *, grace_s: float = 5.0) -> None:
        """Refuse new turns, interrupt the running ones, store what they have, and end the loop.

        Calling it again does nothing.
        """
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self.interrupt()
            self._changed.wait_for(lambda: not self._claimed, grace_s)
        if not self._loop.close(timeout_s=grace_s):
            log.error("the turn engine's loop did not end within %s s", grace_s)
        self._writer.close()
        self._asking.tools.threads.shutdown(wait=False, cancel_futures=True)
        self._let_readers_go()

    def _claim(self, user_id: str, conversation_id: str) -> None:
        """Take a conversation for one turn, before its branch is read: from then on nothing else is added to it."""
        with self._changed:
            if self._closing or self.draining:
                raise stopping()
            if (user_id, conversation_id) in self._claimed:
                raise busy()
            self._claimed.add((user_id, conversation_id))

    def _release(self, user_id: str, conversation_id: str) -> None:
        with self._changed:
            self._claimed.remove((user_id, conversation_id))
            self._changed.notify_all()

    def _store_begin(self, request: TurnRequest, model: ModelSpec, conversation_id: str) -> LiveTurn:
        self._writer.save_again(user_id=request.user_id, conversation_id=conversation_id)
        live = self._beginning.begin(request, model, conversation_id=conversation_id)
        with self._changed:
            self._live[conversation_id] = live
            live.ending = "interrupted" if self._closing else None
        return live

    def _spawn(self, live: LiveTurn) -> None:
        self._loop.spawn(self._run(live), name=f"turn-{live.ids.turn}")

    async def _run(self, live: LiveTurn) -> None:
        keeper = asyncio.create_task(self._writer.keep_checkpoints(live))
        try:
            outcome = await answer_or_end(self._asking, live)
            keeper.cancel()
            live.result = await self._writer.store_end(live, outcome)
        except Exception:
            log.exception("turn %s did not end properly", live.ids.turn)
        finally:
            # Whatever failed, readers must not wait for ever.
            keeper.cancel()
            with self._changed:
                del self._live[live.ids.conversation]
            self._release(live.request.user_id, live.ids.conversation)
            live.buffer.end()
        if self._after_answer is not None:
            self._loop.spawn(logged(partial(self._after_answer, live)), name="after-answer")

    def _let_readers_go(self) -> None:
        with self._changed:
            for live in self._live.values():
                live.buffer.end()


def _not_stored(error: Exception) -> StoreError:
    log.error("a message could not be stored", exc_info=error)
    return StoreError(
        "Your message could not be stored.",
        next_step="It is kept in the box. Try again; if it fails again, ask an administrator to check the disk.",
        detail=type(error).__name__,
    )
