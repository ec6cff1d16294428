"""What the engine's loop writes to the store while a turn runs, on threads of its own: no write holds up a stream."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial

from core.chat.allowance import Limits, Unlimited
from core.chat.answer_cache import AnswerCache
from core.chat.attempt import Answer
from core.chat.conversation import Message, ToolStep
from core.chat.live_turn import LiveTurn, Try
from core.chat.notes import note_of
from core.chat.outcome import UNSAVED, Outcome, answer_message, attempt_row, outcome_of
from core.chat.turn_record import Checkpoint, TurnEnd, checkpoint_turn, end_turns
from core.clock import Clock
from core.costs.ledger import Attempt
from core.costs.pricing import PriceAt, own_price
from core.costs.token_count import estimate_tokens
from core.providers.gateway import CompletionRequest
from core.store.database import Database
from core.store.together import Together

log = logging.getLogger(__name__)

# Waits before the end of a turn is written again, when the store refused it.
_WRITE_AGAIN_S = (0.1, 0.4)
# And then until it takes it: a budget holds the turn's estimate until its cost is in the ledger.
_SAVED_AGAIN_EVERY_S = 10.0
# Of a turn whose text is not kept, a script's as a rule, nobody reads the checkpoints: they are for its price alone,
# and so much rarer. One that is over before the first has none.
_RARER = 3


class TurnWriter:
    """Checkpoints and ends of turns. Coroutines run on the engine's loop, the rest on any thread."""

    def __init__(
        self,
        *,
        database: Database,
        cache: AnswerCache,
        checkpoint_s: float,
        clock: Clock,
        price_at: PriceAt = own_price,
        limits: Limits | None = None,
        owned: bool = False,
    ) -> None:
        """`owned`: turns have an owner, because replicas share the store."""
        self._database = database
        self._owned = owned
        self._ends: Together[TurnEnd, bool] = Together(partial(end_turns, database), one_by_one=database.is_shared)
        self._price_at = price_at
        self._limits = limits or Unlimited()
        self._cache = cache
        self._checkpoint_s = checkpoint_s
        self._clock = clock
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="turn-store")
        # The first count loads the vocabulary (0.15 s, more on a busy machine): not within the second that a stop has.
        self._threads.submit(estimate_tokens, "warm")
        # Ends that the store refused, by user and conversation: until one is saved, its turn is `running` in the store.
        self._unsaved: dict[tuple[str, str], Callable[[], None]] = {}
        self._saving_again = threading.Lock()

    async def keep_checkpoints(self, live: LiveTurn) -> None:
        """Keep what has arrived, again and again, until cancelled."""
        keeps_text = live.request.temporary is None
        # That the first attempt went out is worth none where its question is stored. Else nothing says what was sent.
        kept = (0, 0, keeps_text, 0)
        while True:
            await asyncio.sleep(self._checkpoint_s * (1 if keeps_text else _RARER))
            progress = _progress(live)
            if progress == kept:
                continue
            try:
                # Picked here, on the loop: while the thread writes, another attempt may take the place of this one.
                await self._write(
                    partial(self._checkpoint, live, live.completion, live.answer, tuple(live.tries), tuple(live.steps))
                )
                kept = progress
            except Exception:
                # A checkpoint that fails must not cost the answer: the next one, or the end, tries again.
                log.exception("checkpoint of turn %s failed", live.ids.turn)

    async def store_end(self, live: LiveTurn, outcome: Outcome) -> Message:
        """Store the end of a turn and return its answer; when the store refuses, the answer says so."""
        answer = _message(live, outcome, now=self._clock())
        save = partial(self._save_end, live, outcome, answer)
        for wait_s in (*_WRITE_AGAIN_S, None):
            try:
                await self._write(save)
            except Exception:
                log.exception("the end of turn %s could not be stored", live.ids.turn)
            else:
                return answer
            if wait_s is not None:
                await asyncio.sleep(wait_s)
        self._unsaved[live.request.user_id, live.ids.conversation] = save
        return replace(answer, error_message=" ".join(filter(None, (answer.error_message, UNSAVED))))

    def save_again(self, *, user_id: str, conversation_id: str) -> None:
        """Store the end that was refused in a person's conversation, if one was. Raises what the store raises."""
        key = (user_id, conversation_id)
        if key not in self._unsaved:
            return
        with self._saving_again:
            save = self._unsaved.get(key)
            if save is not None:
                save()
                del self._unsaved[key]

    async def save_regularly(self, *, every_s: float = _SAVED_AGAIN_EVERY_S) -> None:
        """Store what was refused as soon as the store takes it. For the background."""
        while True:
            await asyncio.sleep(every_s)
            if self._unsaved:
                await self._write(self.save_all_again)

    def save_all_again(self) -> None:
        """Store every end that was refused; what is refused again is kept for the next time."""
        for user_id, conversation_id in tuple(self._unsaved):
            try:
                self.save_again(user_id=user_id, conversation_id=conversation_id)
            except Exception:
                log.warning("the end of a turn in conversation %s could not be stored yet", conversation_id)
                return

    def close(self) -> None:
        """Finish what is being written and try once more what was refused."""
        self._threads.shutdown(wait=True)
        for user_id, conversation_id in tuple(self._unsaved):
            try:
                self.save_again(user_id=user_id, conversation_id=conversation_id)
            except Exception:
                # The turn stays `running` in the store with its checkpoint and is recovered at the next start.
                log.exception("an answer in conversation %s is lost but for its checkpoint", conversation_id)

    async def _write(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _checkpoint(
        self,
        live: LiveTurn,
        completion: CompletionRequest,
        answer: Answer,
        tries: Sequence[Try],
        steps: Sequence[ToolStep],
    ) -> None:
        now = self._clock()
        under_way = answer.sent or answer.pieces
        kept = live.request.temporary is None
        if under_way and not kept:
            # Nobody can count later what is not written down: it is counted now, as if it ended here.
            tries = [*tries, Try(completion, answer, outcome_of(answer, ended="interrupted"), now)]
        checkpoint = Checkpoint(
            text="".join(answer.text) if kept else "",
            reasoning="".join(answer.reasoning) if kept else "",
            model_id=completion.model.id if under_way and kept else None,
            started_at=answer.started_at if under_way and kept else None,
            first_token_at=answer.first_token_at if kept else None,
            tries=[self._row(live, tried) for tried in tries],
            steps=steps if kept else (),
        )
        checkpoint_turn(self._database, checkpoint, turn_id=live.ids.turn, now=now)

    def _save_end(self, live: LiveTurn, outcome: Outcome, answer: Message) -> None:
        # Counting the tokens of a long history takes a while: on this thread it holds up no other turn.
        attempts = [self._row(live, tried) for tried in _tries(live, outcome, ended_at=answer.created_at)]
        kept = live.request.temporary is None
        if kept:
            # Kept while the turn still runs: nobody's data can be deleted between the two.
            self._cache.keep(live.completion, live.answer, user_id=live.request.user_id, now=answer.created_at)
        end = TurnEnd(
            turn_id=live.ids.turn,
            status=outcome.turn_status,
            answer=answer if kept else None,
            attempts=attempts,
            owned=self._owned,
        )
        ended = self._ends.add(end)
        # What had ended before, perhaps by a try that seemed to fail, has rows that are not these.
        live.recorded = attempts if ended else ()
        # Until its rows are written, a turn holds what it was expected to cost.
        self._settle(live.ids.turn, attempts)

    def _settle(self, turn_id: str, attempts: Sequence[Attempt]) -> None:
        # The end is stored: a failure here must not have it stored again, as what was counted would be counted twice.
        try:
            self._limits.settle(turn_id, attempts)
        except Exception:
            log.exception("turn %s is stored, but what it took was not counted to its end", turn_id)

    def _row(self, live: LiveTurn, tried: Try) -> Attempt:
        return attempt_row(
            live.ids,
            live.request,
            tried.completion,
            tried.answer,
            tried.outcome,
            ended_at=tried.ended_at,
            price_at=self._price_at,
        )


def _message(live: LiveTurn, outcome: Outcome, *, now: datetime) -> Message:
    # When nobody said anything, the answer that is missing is that of the model that was chosen.
    said = live.answer.pieces or live.steps or outcome.complete
    served = live.completion.model if said else live.model
    answer = answer_message(live.ids, served, live.answer, outcome, now=now, asked=live.model, steps=live.steps)
    thought_ms = live.thought_until(now)
    return replace(answer, note=note_of(live), reasoning_ms=thought_ms or None)


def _tries(live: LiveTurn, outcome: Outcome, *, ended_at: datetime) -> list[Try]:
    ended = [*live.tries]
    # A turn that was stopped while it waited for its next attempt has none under way.
    if live.answer.sent or live.answer.cached or not ended:
        ended.append(Try(live.completion, live.answer, outcome, ended_at))
    return ended


def _progress(live: LiveTurn) -> tuple[int, int, bool, int]:
    """What is worth a checkpoint when it changes."""
    returned = sum(use.result is not None for step in live.steps for use in step.uses)
    sent = live.answer.sent or (live.request.temporary is None and not live.tries)
    return len(live.tries), returned, sent, live.answer.pieces
