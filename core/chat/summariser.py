"""Summaries of the older part of a conversation, made by a cheap model when a person asks for one.

The call is a turn of its own with the source `summary`: it stands in the ledger with what it cost, whether or not a
summary came of it. It runs beside the turns; a page asks how it is going.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from core.catalog.choice import usual_price
from core.catalog.models import ModelSpec
from core.chat.admission import TurnRequest
from core.chat.allowance import Limits, Unlimited
from core.chat.attachment_contents import with_contents
from core.chat.attempt import Answer
from core.chat.conversation import Message
from core.chat.history_size import message_tokens
from core.chat.outcome import Outcome
from core.chat.portability import to_messages
from core.chat.side_call import SideCall, answer_room, attempt_aside, call_aside, kept_short, record_aside
from core.chat.summary import Summary, insert_summary
from core.chat.turn_record import TurnIds
from core.clock import Clock, utc_now
from core.costs.estimate import CostRange, estimate_cost
from core.costs.pricing import PriceAt, own_price
from core.errors import LimitReached
from core.ids import new_id
from core.providers.gateway import ChatMessage, CompletionRequest, Gateway
from core.store.database import Cursor, Database
from core.store.files import FileStore

# 500 words, as the task says, and some more for a language that takes more tokens; thoughts count too.
OUTPUT_TOKENS = 1200
_OUTPUT_TOKENS_WITH_THOUGHTS = 3000
_LEAST_OUTPUT_TOKENS = 200
_TASK_TOKENS = 150
# Our own count may be so much under the provider's.
_MARGIN = 1.2
# What stays as it is takes at most so much of the window of the model that goes on.
_KEPT_SHARE = 0.3
_WITHIN_S = 120.0
_TASK = (
    "Condense our conversation so far into a note for whoever goes on with it in my place, in its own language and at "
    "most 500 words. Keep what was decided and why, names, numbers, dates, code and texts that are still needed word "
    "for word, what I asked for and how I like answers, and what is still open. Answer with the note alone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPlan:
    """What a summary would be: of which messages, as they are sent now, by which model, and what it costs."""

    older: Sequence[Message]
    up_to: str
    messages: int
    model: ModelSpec
    cost: CostRange


@dataclass(frozen=True, slots=True)
class Progress:
    """How the summary of a conversation is going; `problem` says why the last one did not come."""

    running: bool
    problem: str = ""


def plan_summary(
    history: Sequence[Message], *, shown: int, model: ModelSpec, candidates: Mapping[str, ModelSpec]
) -> SummaryPlan | None:
    """What to summarise so that `model` can go on, and by which of `candidates`, the cheapest; None when there is none.

    `history` is what is sent now, which may begin with a summary already; `shown` counts the messages it stands for.
    The newest messages stay, as many as take a third of the window.
    """
    cut = _cut(history, model)
    if cut == 0:
        return None
    older = history[:cut]
    fitting = [(price, other) for other in candidates.values() if (price := _price(older, other)) is not None]
    if not fitting:
        return None
    cost, cheapest = min(fitting, key=lambda pair: (pair[0].high_usd or 0, usual_price(pair[1].prices)))
    covered = shown - (len(history) - cut)
    return SummaryPlan(older=older, up_to=older[-1].id, messages=covered, model=cheapest, cost=cost)


class Summariser:
    """Makes summaries. `run_aside` runs a coroutine beside the turns."""

    def __init__(
        self,
        database: Database,
        *,
        gateway: Gateway,
        run_aside: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
        files: FileStore | None = None,
        limits: Limits | None = None,
        price_at: PriceAt = own_price,
        clock: Clock = utc_now,
    ) -> None:
        self._database, self._gateway, self._files, self._clock = database, gateway, files, clock
        self._run_aside, self._limits, self._price_at = run_aside, limits or Unlimited(), price_at
        self._lock = threading.Lock()
        # By (user, conversation).
        self._progress: dict[tuple[str, str], Progress] = {}

    def start(self, plan: SummaryPlan, *, user_id: str, conversation_id: str) -> None:
        """Begin to summarise a conversation of this person. Does nothing while one is being made."""
        key = (user_id, conversation_id)
        with self._lock:
            if self._progress.get(key, Progress(running=False)).running:
                return
            self._progress[key] = Progress(running=True)
        self._run_aside(partial(self._summarise, plan, user_id, conversation_id))

    def progress(self, *, user_id: str, conversation_id: str) -> Progress | None:
        """How a summary is going; None when none was asked for or the last one came."""
        with self._lock:
            return self._progress.get((user_id, conversation_id))

    def forget(self, *, user_id: str, conversation_id: str) -> None:
        """Take away what is said of a summary that did not come."""
        with self._lock:
            if not self._progress.get((user_id, conversation_id), Progress(running=True)).running:
                del self._progress[user_id, conversation_id]

    async def _summarise(self, plan: SummaryPlan, user_id: str, conversation_id: str) -> None:
        problem = "The summary could not be made. Nothing was changed. Try again, or leave out the oldest messages."
        try:
            problem = await self._make(plan, user_id, conversation_id)
        finally:
            with self._lock:
                if problem:
                    self._progress[user_id, conversation_id] = Progress(running=False, problem=problem)
                else:
                    del self._progress[user_id, conversation_id]

    async def _make(self, plan: SummaryPlan, user_id: str, conversation_id: str) -> str:
        """Make a summary and keep it; why there is none, or an empty text."""
        call = await asyncio.to_thread(self._call, plan, user_id, conversation_id)
        try:
            return await call_aside(
                call,
                gateway=self._gateway,
                limits=self._limits,
                clock=self._clock,
                within_s=_WITHIN_S,
                late="The summary took too long.",
                keep=partial(self._keep, plan, call),
            )
        except LimitReached as error:
            return str(error)

    def _keep(self, plan: SummaryPlan, call: SideCall, answer: Answer, outcome: Outcome) -> str:
        attempt = attempt_aside(call, answer, outcome, now=self._clock(), price_at=self._price_at)
        text = "".join(answer.text).strip()
        good = outcome.complete and bool(text)

        def work(cur: Cursor) -> None:
            record_aside(cur, call, attempt, outcome)
            if good:
                insert_summary(cur, _summary(plan, call, text, now=attempt.ended_at))

        self._database.transaction(work)
        self._limits.settle(call.ids.turn, [attempt])
        return "" if good else outcome.error_message or f"{plan.model.label} gave no summary. Nothing was changed."

    def _call(self, plan: SummaryPlan, user_id: str, conversation_id: str) -> SideCall:
        request = TurnRequest(
            user_id=user_id, model_id=plan.model.id, conversation_id=conversation_id, source="summary"
        )
        ids = TurnIds(turn=new_id(), conversation=conversation_id, question=plan.up_to, answer=new_id())
        return SideCall(ids=ids, request=request, completion=self._completion(plan))

    def _completion(self, plan: SummaryPlan) -> CompletionRequest:
        older = with_contents(self._files, list(plan.older))
        messages = to_messages(older, model=plan.model, system_prompt="")
        return CompletionRequest(
            model=plan.model,
            messages=(*messages, ChatMessage("user", _TASK)),
            parameters=kept_short(plan.model, max_tokens=_room(plan.model)),
        )


def _summary(plan: SummaryPlan, call: SideCall, text: str, *, now: datetime) -> Summary:
    return Summary(
        id=new_id(),
        conversation_id=call.ids.conversation,
        user_id=call.request.user_id,
        up_to=plan.up_to,
        messages=plan.messages,
        text=text,
        model_label=plan.model.label,
        turn_id=call.ids.turn,
        created_at=now,
    )


def _cut(history: Sequence[Message], model: ModelSpec) -> int:
    """How many of the oldest messages to summarise: up to an answer, so that a question follows."""
    room = None if model.context_tokens is None else int(model.context_tokens * _KEPT_SHARE)
    place, kept = len(history), 0
    while place > 0:
        kept += message_tokens(history[place - 1], model)
        if room is not None and kept > room:
            break
        place -= 1
    # It ends with an answer, so that a question follows: a question that does not fit goes with its answer.
    ends = [end for end in range(1, len(history) + 1) if history[end - 1].role == "assistant"]
    return next((end for end in ends if end >= place), ends[-1] if ends else 0) if place else 0


def _price(older: Sequence[Message], model: ModelSpec) -> CostRange | None:
    """What a summary by this model costs; None for a model that cannot make one, or whose price nobody knows."""
    if model.prices is None or model.provider.kind == "local":
        return None
    tokens = round((sum(message_tokens(message, model) for message in older) + _TASK_TOKENS) * _MARGIN)
    if model.context_tokens is not None and tokens + _room(model) > model.context_tokens:
        return None
    return estimate_cost(model.prices, input_tokens=tokens, output_low=_LEAST_OUTPUT_TOKENS, output_high=_room(model))


def _room(model: ModelSpec) -> int:
    return answer_room(model, tokens=OUTPUT_TOKENS, with_thoughts=_OUTPUT_TOKENS_WITH_THOUGHTS)
