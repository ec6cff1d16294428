"""The answer of a turn in OpenAI's wire format, whole. Pure: no store, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.errors import ApiError, from_error
from core.chat.conversation import AnswerFigures, Message
from core.costs.ledger import OUT_OF_MONEY
from core.errors import ErrorClass, ProviderError
from core.providers.parts import SignedReasoning, ToolCall

_FINISHED = frozenset({"stop", "length", "content_filter"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A turn that has ended: what was said, what it took, and how many calls to models were made.

    `figures` None: unknown. `calls` are those of the caller's tools, `signed` the reasoning that goes back with them,
    `logprobs` how likely each token was.
    """

    answer: Message
    figures: AnswerFigures | None
    attempts: int
    calls: Sequence[ToolCall] = ()
    signed: SignedReasoning | None = None
    logprobs: Sequence[Mapping[str, Any]] = ()


def whole(served: Served, *, created: int) -> dict[str, Any]:
    """A `chat.completion`."""
    answer = served.answer
    # As OpenAI does: an answer that only calls tools has no content.
    said: dict[str, Any] = {"role": "assistant", "content": answer.content or (None if served.calls else "")}
    said["refusal"] = None
    if answer.reasoning:
        said["reasoning_content"] = answer.reasoning
    if served.signed is not None:
        said["thinking_blocks"] = [signed_block(served.signed)]
    if served.calls:
        said["tool_calls"] = [called(call, place, answer.turn_id) for place, call in enumerate(served.calls)]
    choice = {"index": 0, "message": said, "finish_reason": finish_reason(served), "logprobs": odds(served.logprobs)}
    return {
        "id": completion_id(answer.turn_id),
        "object": "chat.completion",
        "created": created,
        "model": answer.served_model or "",
        "choices": [choice],
        "usage": usage(served.figures),
    }


def odds(tokens: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """How likely tokens were, in OpenAI's words; None where nobody said it."""
    return {"content": list(tokens), "refusal": None} if tokens else None


def completion_id(turn_id: str) -> str:
    """The id of an answer."""
    return f"chatcmpl-{turn_id}"


def called(call: ToolCall, place: int, turn_id: str) -> dict[str, Any]:
    """A call of a tool."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id or call_id(place, turn_id), "type": "function", "function": function}


def call_id(place: int, turn_id: str) -> str:
    """The id of a call that its provider gave none."""
    return f"call_{turn_id.replace('-', '')[-12:]}{place}"


def signed_block(signed: SignedReasoning) -> dict[str, str]:
    """Signed reasoning, as LiteLLM writes it for Anthropic's models."""
    return {"type": "thinking", "thinking": signed.text, "signature": signed.signature}


def headers(turn_id: str, served: Served | None = None, *, attempts: int | None = None) -> dict[str, str]:
    """The receipt's headers, as far as it is known: an unknown cost has none, nor has one that is still to come.

    `attempts` is how many calls there were so far, when no other can follow.
    """
    told = {"x-switchboard-turn": turn_id}
    attempts = attempts if served is None else served.attempts
    if attempts is not None:
        told["x-switchboard-attempts"] = str(attempts)
    if served is not None and _cut_by_budget(served.answer):
        told["x-switchboard-stopped"] = OUT_OF_MONEY
    figures = None if served is None else served.figures
    if figures is not None and figures.cost_usd is not None:
        told["x-switchboard-cost-usd"] = exact(figures.cost_usd)
    return told


def usage(figures: AnswerFigures | None) -> dict[str, Any] | None:
    """Tokens in OpenAI's names, over all calls of the turn."""
    if figures is None:
        return None
    return {
        "prompt_tokens": figures.input_tokens,
        "completion_tokens": figures.output_tokens,
        "total_tokens": figures.input_tokens + figures.output_tokens,
        "prompt_tokens_details": {"cached_tokens": figures.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": figures.reasoning_tokens},
    }


def finish_reason(served: Served) -> str:
    """Why the answer ended, in OpenAI's words."""
    if served.calls:
        return "tool_calls"
    if _cut_by_budget(served.answer):
        return "length"
    reason = served.answer.finish_reason
    return reason if reason in _FINISHED else "stop"


def _cut_by_budget(answer: Message) -> bool:
    """Whether a budget stopped it: what had arrived is paid for, so it is handed over."""
    return answer.error_class == OUT_OF_MONEY


def failure(answer: Message | None, error: ProviderError | None) -> ApiError | None:
    """The error to answer with, when a turn did not end as it should. `error` is the last one of a provider."""
    if answer is None:
        return ApiError(status=500, message="The end of the call could not be stored.", code="internal_error")
    if answer.status == "complete" or _cut_by_budget(answer):
        return None
    if answer.status in {"stopped", "interrupted"}:
        return ApiError(status=503, message="Switchboard ended this call. Try again.", code=answer.status)
    if error is not None and error.error_class is not ErrorClass.INTERNAL:
        return from_error(error)
    return ApiError(status=500, message="Something went wrong inside Switchboard.", code="internal_error")


def exact(amount: Decimal) -> str:
    """An amount to its last digit, without exponent or trailing zeros."""
    return f"{amount.normalize():f}"
