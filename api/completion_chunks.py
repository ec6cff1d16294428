"""The answer of a turn in OpenAI's wire format, in chunks. Pure: no store, no network.

All that is the same in every chunk is written once; per piece of text one string is escaped and two are joined.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from api.completion_answer import (
    Served,
    call_id,
    called,
    completion_id,
    finish_reason,
    headers,
    odds,
    signed_block,
    usage,
)
from api.errors import ApiError
from core.providers.events import Event, Logprobs, ReasoningDelta, ReasoningSigned, TextDelta, ToolCalled, ToolCallPiece

DONE = "data: [DONE]\n\n"
# A comment, which readers of event streams pass over.
HEARTBEAT = ": waiting for the model\n\n"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# Where Python's readers of lines end one, httpx among them, and event streams do not.
_ENDS_A_LINE = re.compile("[\\x85\\u2028\\u2029]")


def _to_json(value: Any) -> str:
    text = _encode(value)
    if text.isascii():
        return text
    return _ENDS_A_LINE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Chunks:
    """Writes the chunks of one answer."""

    def __init__(self, turn_id: str, *, created: int) -> None:
        self._turn_id = turn_id
        self._created = created
        self._model_id = ""
        self._begin = ""
        # The places of the calls that have been told in pieces; what is not among them is told whole.
        self._told: set[int] = set()
        self._calls = 0

    def opening(self, model_id: str) -> str:
        """The first chunk."""
        return self._delta(model_id, '"role":"assistant","content":""')

    def of(self, events: Sequence[Event], model_id: str) -> str:
        """A chunk for every run of text or reasoning among the events, and for every piece of a call.

        What came at once goes out at once.
        """
        return "".join(text for kind, run in groupby(events, key=type) for text in self._run(kind, run, model_id))

    def ending(self, served: Served, *, tells_usage: bool) -> str:
        """The chunk with the finish reason, the one with the usage and the receipt, and the end."""
        head = self._head(served.answer.served_model or "")
        choice = {"index": 0, "delta": {}, "finish_reason": finish_reason(served), "logprobs": None}
        last = _event({**head, "choices": [choice]})
        if not tells_usage:
            return last + DONE
        receipt = _receipt(headers(served.answer.turn_id, served))
        told = {**head, "choices": [], "usage": usage(served.figures), "switchboard": receipt}
        return last + _event(told) + DONE

    def _run(self, kind: type[Event], run: Iterable[Any], model_id: str) -> Iterable[str]:
        if kind is Logprobs:
            # They follow the words that they are about.
            tokens = [token for event in run for token in event.tokens]
            return (self._delta(model_id, "", logprobs=_to_json(odds(tokens))),)
        return [self._delta(model_id, fields) for fields in self._fields(kind, run)]

    def _fields(self, kind: type[Event], run: Iterable[Any]) -> Iterable[str]:
        if kind is TextDelta:
            return (f'"content":{_to_json("".join([event.text for event in run]))}',)
        if kind is ReasoningDelta:
            return (f'"reasoning_content":{_to_json("".join([event.text for event in run]))}',)
        if kind is ToolCallPiece:
            return [self._piece(event) for event in run]
        if kind is ToolCalled:
            return [told for event in run if (told := self._whole_call(event)) is not None]
        if kind is ReasoningSigned:
            return [f'"thinking_blocks":{_to_json([signed_block(event.reasoning)])}' for event in run]
        return ()

    def _piece(self, piece: ToolCallPiece) -> str:
        told: dict[str, Any] = {"index": piece.index, "function": {"arguments": piece.arguments}}
        if piece.index not in self._told:
            self._told.add(piece.index)
            told |= {"id": piece.id or call_id(piece.index, self._turn_id), "type": "function"}
        if piece.name:
            told["function"] = {"name": piece.name, "arguments": piece.arguments}
        return f'"tool_calls":{_to_json([told])}'

    def _whole_call(self, event: ToolCalled) -> str | None:
        place, self._calls = self._calls, self._calls + 1
        if place in self._told:
            return None
        return f'"tool_calls":{_to_json([{"index": place, **called(event.call, place, self._turn_id)}])}'

    def _delta(self, model_id: str, fields: str, *, logprobs: str = "null") -> str:
        if model_id != self._model_id:
            # Another model answers from here on, or it is the first chunk.
            head = _to_json(self._head(model_id))[:-1]
            self._model_id, self._begin = model_id, f'data: {head},"choices":[{{"index":0,"delta":{{'
        return f'{self._begin}{fields}}},"finish_reason":null,"logprobs":{logprobs}}}]}}\n\n'

    def _head(self, model_id: str) -> dict[str, Any]:
        return {
            "id": completion_id(self._turn_id),
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": model_id,
        }


def broken(error: ApiError) -> str:
    """The event that says a stream broke; nothing follows it."""
    return _event(error.body())


def _receipt(told: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("x-switchboard-").replace("-", "_"): value for name, value in told.items()}


def _event(value: Mapping[str, Any]) -> str:
    return f"data: {_to_json(value)}\n\n"
