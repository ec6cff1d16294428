"""Calls beside the chat: a title, a summary. Each is a turn of its own with a row in the ledger, and no answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from core.catalog.effective import legal_parameters
from core.catalog.models import Capability, ModelSpec, ParameterValue
from core.chat.admission import TurnRequest
from core.chat.allowance import Limits
from core.chat.attempt import Answer, run_attempt
from core.chat.metering import Meter, admit_metered
from core.chat.outcome import Outcome, attempt_row, outcome_of
from core.chat.turn_record import TurnIds
from core.clock import Clock
from core.costs.ledger import Attempt, record_attempt
from core.costs.pricing import PriceAt, own_price
from core.errors import ErrorClass, LimitReached, ProviderError, TurnRefused
from core.providers.gateway import CompletionRequest, Gateway
from core.store.database import Cursor
from core.store.sql import load_queries

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCall:
    """One call, and whose it is: `request` names the person, the conversation and the source in the ledger."""

    ids: TurnIds
    request: TurnRequest
    completion: CompletionRequest


async def call_aside(
    call: SideCall,
    *,
    gateway: Gateway,
    limits: Limits,
    clock: Clock,
    within_s: float,
    late: str,
    keep: Callable[[Answer, Outcome], T],
) -> T:
    """Make a call within its budgets and return what `keep` does with the whole answer, on a thread.

    `late` is the sentence for one that takes longer than `within_s` seconds. Raises LimitReached, with nothing spent.
    """
    meter = await asyncio.to_thread(admit_metered, limits, call.request, call.completion, turn_id=call.ids.turn)
    try:
        answer = Answer(started_at=clock())
        outcome = await _ask(gateway, call.completion, answer, clock=clock, within_s=within_s, late=late, meter=meter)
        return await asyncio.to_thread(keep, answer, outcome)
    except BaseException:
        limits.release(call.ids.turn)
        raise


async def _ask(
    gateway: Gateway,
    completion: CompletionRequest,
    answer: Answer,
    *,
    clock: Clock,
    within_s: float,
    late: str,
    meter: Meter | None,
) -> Outcome:
    asking = run_attempt(
        gateway, completion, answer=answer, emit=lambda _event: None, now=clock, stall_s=within_s, meter=meter
    )
    try:
        async with asyncio.timeout(within_s):
            await asking
    except TimeoutError:
        return outcome_of(answer, error=ProviderError(ErrorClass.STALL, late))
    except (ProviderError, LimitReached) as error:
        return outcome_of(answer, error=error)
    return outcome_of(answer)


def answer_room(model: ModelSpec, *, tokens: int, with_thoughts: int) -> int:
    """How many tokens an answer may take: more of a model that thinks first, as a limit counts its thoughts too."""
    return with_thoughts if Capability.REASONING in model.capabilities else tokens


def kept_short(model: ModelSpec, *, max_tokens: int) -> Mapping[str, ParameterValue]:
    """The parameters of a call whose answer has to be short."""
    try:
        return legal_parameters(model, {"max_tokens": max_tokens})
    except TurnRefused:
        # It has a limit of its own, or takes none: then it is the price that keeps it short.
        return legal_parameters(model, {})


def attempt_aside(
    call: SideCall, answer: Answer, outcome: Outcome, *, now: datetime, price_at: PriceAt = own_price
) -> Attempt:
    """The ledger row of a call that ended at `now`."""
    return attempt_row(call.ids, call.request, call.completion, answer, outcome, ended_at=now, price_at=price_at)


def record_aside(cur: Cursor, call: SideCall, attempt: Attempt, outcome: Outcome) -> None:
    """Store a call that has ended as a turn and its ledger row, within the caller's transaction."""
    turns = load_queries("turns")
    # Begun and ended at once: a turn that runs would refuse the next message in its conversation.
    cur.execute(turns["insert_turn"], **_turn_row(call), now=attempt.started_at)
    cur.execute(turns["end_turn"], id=call.ids.turn, status=outcome.turn_status, now=attempt.ended_at)
    record_attempt(cur, attempt)


def _turn_row(call: SideCall) -> dict[str, object]:
    return {
        "id": call.ids.turn,
        "conversation_id": call.ids.conversation,
        "user_id": call.request.user_id,
        "user_message_id": call.ids.question,
        "source": call.request.source,
        "use_case": None,
        "requested_model": call.request.model_id,
        "parameters": json.dumps(dict(call.completion.parameters), sort_keys=True),
    }
