"""The answer of a turn in OpenAI's wire format, whole or in chunks. Pure: no store, no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from api.errors import ApiError, from_error
from core.chat.conversation import AnswerFigures, Message
from core.errors import ErrorClass, ProviderError
from core.providers.events import Event, ReasoningDelta, TextDelta

DONE = "data: [DONE]\n\n"
# A comment, which readers of event streams pass over.
HEARTBEAT = ": waiting for the model\n\n"
_FINISHED = frozenset({"stop", "length", "content_filter"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A turn that has ended: what was said, what it took, and how many calls were made. `figures` None: unknown."""

    answer: Message
    figures: AnswerFigures | None
    attempts: int


def whole(served: Served, *, created: int) -> dict[str, Any]:
    """A `chat.completion`."""
    said: dict[str, Any] = {"role": "assistant", "content": served.answer.content, "refusal": None}
    if served.answer.reasoning:
        said["reasoning_content"] = served.answer.reasoning
    choice = {"index": 0, "message": said, "finish_reason": finish_reason(served.answer), "logprobs": None}
    return {
        **_head("chat.completion", served.answer.turn_id, served.answer.served_model or "", created),
        "choices": [choice],
        "usage": usage(served.figures),
    }


def headers(turn_id: str, served: Served | None = None) -> dict[str, str]:
    """The receipt's headers; before the end, only the turn is known. An unknown cost has none."""
    if served is None:
        return {"x-switchboard-turn": turn_id}
    told = {"x-switchboard-turn": turn_id, "x-switchboard-attempts": str(served.attempts)}
    cost_usd = None if served.figures is None else served.figures.cost_usd
    return told if cost_usd is None else {**told, "x-switchboard-cost-usd": exact(cost_usd)}


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


def finish_reason(answer: Message) -> str:
    """Why the answer ended, in OpenAI's words."""
    return answer.finish_reason if answer.finish_reason in _FINISHED else "stop"


def opening(turn_id: str, model_id: str, *, created: int) -> str:
    """The first chunk."""
    return _chunk(turn_id, model_id, created, {"role": "assistant", "content": ""})


def pieces(events: Sequence[Event], turn_id: str, model_id: str, *, created: int) -> str:
    """A chunk for every run of text or reasoning among the events; what came at once goes out at once."""
    told = (event for event in events if isinstance(event, TextDelta | ReasoningDelta))
    return "".join(
        _chunk(turn_id, model_id, created, {name: "".join(event.text for event in run)})
        for name, run in groupby(told, key=_field)
    )


def ending(served: Served, *, created: int, tells_usage: bool) -> str:
    """The chunk with the finish reason, the one with the usage and the receipt, and the end."""
    answer = served.answer
    head = _head("chat.completion.chunk", answer.turn_id, answer.served_model or "", created)
    last = _data({**head, "choices": [_choice({}, finish_reason(answer))]})
    if not tells_usage:
        return last + DONE
    receipt = headers(answer.turn_id, served)
    return (
        last + _data({**head, "choices": [], "usage": usage(served.figures), "switchboard": _receipt(receipt)}) + DONE
    )


def broken(error: ApiError) -> str:
    """The event that says a stream broke; nothing follows it."""
    return _data(error.body())


def failure(answer: Message | None, error: ProviderError | None) -> ApiError | None:
    """The error to answer with, when a turn did not end as it should. `error` is the last one of a provider."""
    if answer is None:
        return ApiError(status=500, message="The end of the call could not be stored.", code="internal_error")
    if answer.status == "complete":
        return None
    if answer.status in {"stopped", "interrupted"}:
        return ApiError(status=503, message="Switchboard ended this call. Try again.", code=answer.status)
    if error is not None and error.error_class is not ErrorClass.INTERNAL:
        return from_error(error)
    return ApiError(status=500, message="Something went wrong inside Switchboard.", code="internal_error")


def exact(amount: Decimal) -> str:
    """An amount to its last digit, without exponent or trailing zeros."""
    return f"{amount.normalize():f}"


def _receipt(told: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("x-switchboard-").replace("-", "_"): value for name, value in told.items()}


def _field(event: Event) -> str:
    return "content" if isinstance(event, TextDelta) else "reasoning_content"


def _chunk(turn_id: str, model_id: str, created: int, delta: Mapping[str, Any]) -> str:
    return _data({**_head("chat.completion.chunk", turn_id, model_id, created), "choices": [_choice(delta, None)]})


def _choice(delta: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}


def _head(kind: str, turn_id: str, model_id: str, created: int) -> dict[str, Any]:
    return {"id": f"chatcmpl-{turn_id}", "object": kind, "created": created, "model": model_id}


def _data(value: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n"
