"""The seam between Switchboard and the libraries that call providers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.catalog.models import ModelSpec, ParameterValue
from core.providers.events import Event

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as it goes to a model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """One call: the model, the whole history with the system prompt first, and the parameters in force."""

    model: ModelSpec
    messages: Sequence[ChatMessage]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)


class Gateway(Protocol):
    """Turns a request into a stream of events.

    A gateway raises ProviderError and nothing else; closing the iterator (or cancelling the task that iterates it)
    closes the upstream connection. It yields `Finished` only when the provider said so, and `Usage` at most once.
    """

    def stream(self, request: CompletionRequest) -> AsyncIterator[Event]:
        """Yield the events of one completion."""
        ...
