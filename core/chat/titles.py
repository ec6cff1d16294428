"""Titles of conversations, given by a cheap model after the first answer.

Until one comes, and where none comes, the first words stand. The call is a turn of its own, with the source `title`:
it stands in the ledger with what it cost, whether or not a title came of it. It runs beside the turns, so that nobody
waits for it, and it never replaces a title that somebody typed.

The model that runs inside Switchboard gives none: of 135 million parameters, its titles are worse than first words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial

from core.accounts.preferences import load_preferences, load_team_defaults, read_preferences, titles_wanted
from core.catalog.choice import usual_price
from core.catalog.models import ModelSpec
from core.chat.admission import TurnRequest
from core.chat.allowance import Limits, Unlimited
from core.chat.attempt import Answer
from core.chat.conversation import title_from
from core.chat.live_turn import LiveTurn
from core.chat.outcome import Outcome
from core.chat.side_call import SideCall, answer_room, attempt_aside, call_aside, kept_short, record_aside
from core.chat.turn_record import TurnIds
from core.clock import Clock, utc_now
from core.costs.pricing import PriceAt, compute_cost, own_price
from core.errors import LimitReached
from core.ids import new_id
from core.providers.events import Usage
from core.providers.gateway import ChatMessage, CompletionRequest, Gateway
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("titles")

# No title may cost more, counted with the longest answer it may give.
MOST_USD = Decimal("0.001")
_INPUT_TOKENS = 700
_OUTPUT_TOKENS = 40
_OUTPUT_TOKENS_WITH_THOUGHTS = 400
_QUESTION_CHARACTERS = 1200
_ANSWER_CHARACTERS = 800
_WITHIN_S = 20.0
# Longer than any title: the model has answered the question instead.
_TOO_LONG = 100
# Around titles, as models like to put them: Markdown and the quotation marks of several languages.
_QUOTES = "#*_`\"' \u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
_TASK = (
    "Give the conversation that follows a title of two to six words, in its own language. Answer with the title alone: "
    "no quotation marks, no full stop, no explanation. Do not answer the question."
)


class Titler:
    """Gives titles. `candidates(user_id)` are the models that this person may use and that can be asked now.

    Where `limits` leave nothing for a title, the first words stand.
    """

    def __init__(
        self,
        database: Database,
        *,
        gateway: Gateway,
        candidates: Callable[[str], Mapping[str, ModelSpec]],
        limits: Limits | None = None,
        clock: Clock = utc_now,
        price_at: PriceAt = own_price,
    ) -> None:
        self._price_at = price_at
        self._database = database
        self._limits = limits or Unlimited()
        self._gateway = gateway
        self._candidates = candidates
        self._clock = clock

    async def title(self, live: LiveTurn) -> None:
        """Give the conversation of a turn that has ended a title, if it was its first answer. On the engine's loop."""
        if not _is_first_answer(live):
            return
        plan = await asyncio.to_thread(self._plan, live)
        if plan is None:
            return
        with suppress(LimitReached):
            await call_aside(
                plan,
                gateway=self._gateway,
                limits=self._limits,
                clock=self._clock,
                within_s=_WITHIN_S,
                late="The title took too long.",
                keep=partial(self._keep, plan),
            )

    def _plan(self, live: LiveTurn) -> SideCall | None:
        user_id, conversation_id = live.request.user_id, live.ids.conversation
        if self._database.fetch_one(_SQL["untitled"], id=conversation_id, user_id=user_id) is None:
            return None
        team = read_preferences(load_team_defaults(self._database))
        if not titles_wanted(read_preferences(load_preferences(self._database, user_id)), team):
            return None
        model = title_model(self._candidates(user_id))
        if model is None:
            return None
        completion = _completion(model, question=live.history[0].content, answer="".join(live.answer.text))
        return SideCall(
            ids=TurnIds(turn=new_id(), conversation=conversation_id, question=live.ids.question, answer=new_id()),
            request=TurnRequest(user_id=user_id, model_id=model.id, conversation_id=conversation_id, source="title"),
            completion=completion,
        )

    def _keep(self, plan: SideCall, answer: Answer, outcome: Outcome) -> None:
        now = self._clock()
        attempt = attempt_aside(plan, answer, outcome, now=now, price_at=self._price_at)
        title = clean_title("".join(answer.text)) if outcome.complete else None

        def work(cur: Cursor) -> None:
            record_aside(cur, plan, attempt, outcome)
            if title is not None:
                cur.execute(_SQL["set_title"], id=plan.ids.conversation, user_id=plan.request.user_id, title=title)

        self._database.transaction(work)
        self._limits.settle(plan.ids.turn, [attempt])


def title_model(candidates: Mapping[str, ModelSpec]) -> ModelSpec | None:
    """The cheapest model whose titles are worth having and cost at most MOST_USD; None when there is none.

    A model without a known price could cost anything, so it is not asked.
    """
    fitting = [model for model in candidates.values() if model.provider.kind != "local" and _cheap(model)]
    return min(fitting, key=lambda model: usual_price(model.prices), default=None)


def clean_title(text: str) -> str | None:
    """What a model said as a title: one line without quotation marks and the like; None where it is none."""
    line = next((line for line in map(str.strip, text.splitlines()) if line), "")
    bare = line.strip(_QUOTES).removeprefix("Title:").strip(_QUOTES).rstrip(".")
    return title_from(bare) if bare and len(bare) <= _TOO_LONG else None


def _is_first_answer(live: LiveTurn) -> bool:
    return (
        live.request.source == "chat"
        and live.request.temporary is None
        and len(live.history) == 1
        and live.result is not None
        and live.result.status == "complete"
        and bool(live.answer.text)
    )


def _cheap(model: ModelSpec) -> bool:
    usage = Usage(input_tokens=_INPUT_TOKENS, output_tokens=_room(model))
    return model.prices is not None and compute_cost(usage, model.prices) <= MOST_USD


def _room(model: ModelSpec) -> int:
    return answer_room(model, tokens=_OUTPUT_TOKENS, with_thoughts=_OUTPUT_TOKENS_WITH_THOUGHTS)


def _completion(model: ModelSpec, *, question: str, answer: str) -> CompletionRequest:
    # One message of the person: not every model takes a system prompt.
    asked = f"{_TASK}\n\nQuestion:\n{question[:_QUESTION_CHARACTERS]}\n\nAnswer:\n{answer[:_ANSWER_CHARACTERS]}"
    return CompletionRequest(
        model=model,
        messages=(ChatMessage("user", asked),),
        parameters=kept_short(model, max_tokens=_room(model)),
    )
