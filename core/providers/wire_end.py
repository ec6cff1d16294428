"""What the end of a stream comes out as: only what the provider itself said about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import ErrorClass, ProviderError
from core.providers.events import Event, Finished
from core.providers.wire_calls import CallPieces
from core.providers.wire_usage import usage_event

_REASONS = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "sensitive": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
# Servers that end a stream by force say so in the same field.
_NOT_FINISHED = frozenset({"error", "abort", "network_error"})


@dataclass(slots=True)
class End:
    """What the provider said about the end, gathered on the way."""

    reason: str | None = None
    usage: Any = None
    service_tier: Any = None


def closing_events(end: End, calls: CallPieces) -> Iterator[Event]:
    """The calls of tools, which are none in an answer that was cut; then usage and end, each only where it was sent.

    Raises ProviderError SERVER for an answer that its server broke off.
    """
    if end.reason is not None and _REASONS.get(end.reason, "tool_calls") == "tool_calls":
        yield from calls.events()
    if end.usage is not None:
        yield usage_event(end.usage, service_tier=end.service_tier)
    if end.reason is not None:
        yield Finished(_reason(end.reason))


def _reason(reason: str) -> str:
    if reason in _NOT_FINISHED:
        raise ProviderError(
            ErrorClass.SERVER,
            "The provider broke the answer off.",
            next_step="Try again or choose another model.",
            detail=f"finish_reason: {reason}",
        )
    return _REASONS.get(reason, "stop")
