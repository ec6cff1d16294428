"""How a turn ended, and the rows that follow from it. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.catalog.models import ModelSpec, Prices
from core.chat.admission import TurnRequest
from core.chat.attempt import Answer, usage_of
from core.chat.conversation import Message, MessageStatus, ToolStep
from core.chat.plain_text import with_visible_controls
from core.chat.turn_record import TurnIds
from core.costs.ledger import OUT_OF_MONEY, Attempt
from core.costs.pricing import Cost, PriceAt, own_price, price_attempt, price_cached
from core.errors import ErrorClass, LimitReached, ProviderError, SwitchboardError
from core.providers.events import Usage
from core.providers.gateway import CompletionRequest

TurnStatus = Literal["completed", "stopped", "failed", "interrupted"]
Ending = Literal["stopped", "interrupted"]

_UNKNOWN = SwitchboardError("Something went wrong inside Switchboard.", next_step="Try again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a turn as its three rows say it: turn, message, attempt.

    `summary` is what the message says in place of `error_message` when several models were asked in vain.
    """

    turn_status: TurnStatus
    message_status: MessageStatus
    attempt_status: str
    error_message: str | None = None
    error_detail: str | None = None
    summary: str | None = None

    @property
    def complete(self) -> bool:
        """True when the model said that it was done."""
        return self.message_status == "complete"


_COMPLETE = Outcome(turn_status="completed", message_status="complete", attempt_status="ok")
INTERRUPTED = "Switchboard was stopped while this answer was being written. What had arrived is kept. Try again."
UNSAVED = (
    "This answer could not be saved yet and would be gone after a reload: copy what you need. "
    "Saving it is tried again every few seconds."
)


def outcome_of(answer: Answer, *, ended: Ending | None = None, error: BaseException | None = None) -> Outcome:
    """The outcome of an attempt: complete, ended by somebody, or failed with `error`.

    A budget that is used up on the way (LimitReached) stops it. Another error after the first text leaves a "broken"
    message with that text, one before it a "failed" message. An answer whose finish reason had come is complete,
    whatever happened a moment later.
    """
    if answer.finish_reason is not None:
        return _COMPLETE
    if isinstance(error, LimitReached):
        return _out_of_money(error)
    if error is not None:
        return _failure(error, broken=bool(answer.text) or answer.after_steps)
    if ended is None:
        return _COMPLETE
    return Outcome(
        turn_status=ended,
        message_status=ended,
        attempt_status=ended,
        error_message=INTERRUPTED if ended == "interrupted" else None,
    )


def failed_try(error: ProviderError) -> Outcome:
    """The outcome of an attempt that another one follows: its sentence says what happened, there is no next step."""
    return Outcome(
        turn_status="failed",
        message_status="failed",
        attempt_status=error.error_class.value,
        error_message=with_visible_controls(error.user_message),
    )


def no_model_answered(errors: Sequence[ProviderError]) -> str:
    """What a person is told when every model of the chain failed."""
    reasons = " ".join(dict.fromkeys(error.user_message for error in errors))
    sentence = f"No model could answer. {reasons} Your message is kept. Try again or choose another model."
    return with_visible_controls(sentence)


def answer_message(
    ids: TurnIds,
    model: ModelSpec,
    answer: Answer,
    outcome: Outcome,
    *,
    now: datetime,
    asked: ModelSpec | None = None,
    steps: Sequence[ToolStep] = (),
) -> Message:
    """The assistant's message of a turn, without figures. `asked` is the model that was chosen, if another answered.

    `steps` come before it.
    """
    return Message(
        id=ids.answer,
        conversation_id=ids.conversation,
        parent_id=ids.question,
        turn_id=ids.turn,
        role="assistant",
        content="".join(answer.text),
        reasoning="".join(answer.reasoning) or None,
        status=outcome.message_status,
        finish_reason=answer.finish_reason,
        requested_model=(asked or model).id,
        served_model=model.id,
        model_label=model.label,
        error_class=None if outcome.complete else outcome.attempt_status,
        error_message=outcome.summary or outcome.error_message,
        error_detail=outcome.error_detail,
        created_at=now,
        steps=tuple(steps),
    )


def attempt_row(
    ids: TurnIds,
    request: TurnRequest,
    completion: CompletionRequest,
    answer: Answer,
    outcome: Outcome,
    *,
    ended_at: datetime,
    price_at: PriceAt = own_price,
) -> Attempt:
    """The ledger row of an attempt, priced with what the model costs when it ends: `price_at` says it.

    It has the turn's id. Where a turn has several attempts, its end names them (core.chat.turn_record).
    """
    model = completion.model
    prices = price_at(model, ended_at)
    usage, counted_by_us = usage_of(answer, completion, answered=outcome.turn_status != "failed")
    return Attempt(
        id=ids.turn,
        turn_id=ids.turn,
        user_id=request.user_id,
        conversation_id=ids.conversation,
        source=request.source,
        use_case=request.use_case,
        requested_model=request.model_id,
        served_model=model.id,
        fallback_of=None if model.id == request.model_id else request.model_id,
        upstream_model=answer.upstream_model,
        provider=model.provider.id,
        parameters=completion.parameters,
        started_at=answer.started_at,
        first_token_at=answer.first_token_at,
        ended_at=ended_at,
        usage=usage,
        cost=_cost(answer, usage, prices, counted_by_us=counted_by_us, partial=not outcome.complete),
        price_version=prices.name if prices else None,
        status=outcome.attempt_status,
        error_message=outcome.error_message,
        cached=answer.cached,
        counted_by_us=counted_by_us,
    )


def _cost(answer: Answer, usage: Usage, prices: Prices | None, *, counted_by_us: bool, partial: bool) -> Cost:
    if answer.cached:
        return price_cached(usage, prices)
    return price_attempt(usage, prices, counted_by_us=counted_by_us, partial=partial)


def _out_of_money(error: LimitReached) -> Outcome:
    return Outcome(
        turn_status="stopped",
        message_status="stopped",
        attempt_status=OUT_OF_MONEY,
        error_message=with_visible_controls(str(error)),
    )


def _failure(error: BaseException, *, broken: bool) -> Outcome:
    error_class = error.error_class if isinstance(error, ProviderError) else ErrorClass.INTERNAL
    known = error if isinstance(error, SwitchboardError) else _UNKNOWN
    kept = "What had arrived is kept." if broken else "Your message is kept."
    message = f"{known.user_message} {kept} {known.next_step}".strip()
    detail = error.detail if isinstance(error, SwitchboardError) else type(error).__name__
    return Outcome(
        turn_status="failed",
        message_status="broken" if broken else "failed",
        attempt_status=error_class.value,
        error_message=with_visible_controls(message),
        error_detail=with_visible_controls(detail),
    )
