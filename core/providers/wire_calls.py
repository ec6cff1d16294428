"""Tool calls and signed reasoning, put together from the pieces in which streams bring them; calls that cannot be sent.

Pieces are what a library made of them, or plain JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ErrorClass, ProviderError
from core.providers.events import Event, ReasoningSigned, ToolCalled, ToolCallPiece
from core.providers.gateway import ChatMessage
from core.providers.parts import SignedReasoning, ToolCall
from core.providers.wire import field_of


@dataclass(slots=True)
class _Growing:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


def refuse_unreadable(messages: Sequence[ChatMessage]) -> None:
    """Raises ProviderError BAD_REQUEST where the arguments of a call that was made are no JSON object.

    OpenAI's format sends them as text. Other formats hold an object, and a library that makes one of the text fails in
    its own way, which would count as a failure of the model.
    """
    for part in (part for message in messages for part in message.parts):
        if isinstance(part, ToolCall) and not _is_object(part.arguments):
            raise ProviderError(
                ErrorClass.BAD_REQUEST,
                f"The arguments of the call of {part.name} are no JSON object, which this model's provider needs.",
                next_step="Send the call with an object, or tell it in words.",
            )


def _is_object(arguments: str) -> bool:
    try:
        return not arguments.strip() or isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


class CallPieces:
    """What has arrived of an answer's tool calls."""

    def __init__(self) -> None:
        self._calls: dict[int, _Growing] = {}
        self._last = 0
        self._thoughts: list[str] = []
        self._signature = ""

    def take(self, delta: Any) -> list[ToolCallPiece]:
        """Add what a chunk's delta holds of calls, if anything, and say what came of them."""
        told = [self._take_call(piece) for piece in field_of(delta, "tool_calls") or ()]
        for block in field_of(delta, "thinking_blocks") or ():
            self._thoughts.append(block.get("thinking") or "")
            self._signature = block.get("signature") or self._signature
        return told

    def events(self) -> Iterator[Event]:
        """The whole calls, in order, after the reasoning that the model signed for them."""
        called = [growing for _, growing in sorted(self._calls.items()) if growing.name]
        if called and self._signature:
            yield ReasoningSigned(SignedReasoning(text="".join(self._thoughts), signature=self._signature))
        for growing in called:
            arguments = "".join(growing.arguments).strip() or "{}"
            yield ToolCalled(ToolCall(id=growing.id, name=growing.name, arguments=arguments))

    def _take_call(self, piece: Any) -> ToolCallPiece:
        index, function = self._place(piece), field_of(piece, "function")
        growing = self._calls.setdefault(index, _Growing())
        # Some servers say a call's id and name with every piece of it.
        told = ToolCallPiece(
            index=index,
            id="" if growing.id else field_of(piece, "id") or "",
            name="" if growing.name else field_of(function, "name") or "",
            arguments=field_of(function, "arguments") or "",
        )
        growing.id, growing.name = growing.id or told.id, growing.name or told.name
        growing.arguments.append(told.arguments)
        return told

    def _place(self, piece: Any) -> int:
        # Some servers send every call whole and number all of them 0, or none.
        given, call_id = field_of(piece, "index"), field_of(piece, "id")
        index = self._last if given is None else int(given)
        held = self._calls.get(index)
        if held is not None and call_id and held.id and call_id != held.id:
            index = max(self._calls) + 1
        self._last = index
        return index
