"""Tool calls and signed reasoning, put together from the pieces in which LiteLLM's streams bring them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.providers.events import Event, ReasoningSigned, ToolCalled
from core.providers.parts import SignedReasoning, ToolCall


@dataclass(slots=True)
class _Growing:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class CallPieces:
    """What has arrived of an answer's tool calls."""

    def __init__(self) -> None:
        self._calls: dict[int, _Growing] = {}
        self._last = 0
        self._thoughts: list[str] = []
        self._signature = ""

    def take(self, delta: Any) -> None:
        """Add what a chunk's delta holds of calls, if anything."""
        for piece in getattr(delta, "tool_calls", None) or ():
            self._take_call(piece)
        for block in getattr(delta, "thinking_blocks", None) or ():
            self._thoughts.append(block.get("thinking") or "")
            self._signature = block.get("signature") or self._signature

    def events(self) -> Iterator[Event]:
        """The whole calls, in order, after the reasoning that the model signed for them."""
        called = [growing for _, growing in sorted(self._calls.items()) if growing.name]
        if called and self._signature:
            yield ReasoningSigned(SignedReasoning(text="".join(self._thoughts), signature=self._signature))
        for growing in called:
            arguments = "".join(growing.arguments).strip() or "{}"
            yield ToolCalled(ToolCall(id=growing.id, name=growing.name, arguments=arguments))

    def _take_call(self, piece: Any) -> None:
        growing = self._calls.setdefault(self._place(piece), _Growing())
        growing.id = piece.id or growing.id
        if piece.function is not None:
            growing.name = piece.function.name or growing.name
            growing.arguments.append(piece.function.arguments or "")

    def _place(self, piece: Any) -> int:
        # Some servers send every call whole and number all of them 0, or none.
        index = self._last if piece.index is None else int(piece.index)
        held = self._calls.get(index)
        if held is not None and piece.id and held.id and piece.id != held.id:
            index = max(self._calls) + 1
        self._last = index
        return index
