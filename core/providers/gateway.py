"""The seam between Switchboard and the libraries that call providers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from core.catalog.models import ModelSpec, ParameterValue
from core.providers.events import Event
from core.providers.parts import Part, TextPart, ToolOffer, ToolResult

Role = Literal["system", "user", "assistant", "tool"]

# What a request may carry to the provider word for word, in OpenAI's names. Nothing else: a client library may take
# addresses and keys by the same arguments.
WIRE_FIELDS = frozenset({"logprobs", "parallel_tool_calls", "response_format", "tool_choice", "top_logprobs"})


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as it goes to a model.

    `content` is all of its text. `parts` is empty where that is all there is, and otherwise holds everything in order,
    text once more included. A message of the role "tool" holds the results of the calls in the answer before it.
    `name` tells apart people of one role.
    """

    role: Role
    content: str
    parts: tuple[Part, ...] = ()
    name: str | None = None


def message_of(role: Role, parts: Sequence[Part]) -> ChatMessage:
    """A message of these parts; a plain one where they are nothing but text."""
    content = "\n\n".join(part.text for part in parts if isinstance(part, TextPart | ToolResult))
    return ChatMessage(role, content, () if all(isinstance(part, TextPart) for part in parts) else tuple(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """One call: the model, the whole history with the system prompt first, the parameters in force, tools offered.

    `wire_fields` go to the provider as they are; each is one of WIRE_FIELDS. `streams_calls`: calls of tools are told
    in pieces as well (ToolCallPiece).
    """

    model: ModelSpec
    messages: Sequence[ChatMessage]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    tools: Sequence[ToolOffer] = ()
    wire_fields: Mapping[str, Any] = field(default_factory=dict)
    streams_calls: bool = False


# Takes the model's id and the headers of every answer and refusal.
HearHeaders = Callable[[str, Mapping[str, str]], None]


def not_heard(_model_id: str, _headers: Mapping[str, str]) -> None:
    """A listener to headers that takes none."""


class Gateway(Protocol):
    """Turns a request into a stream of events.

    A gateway raises ProviderError and nothing else; closing the iterator (or cancelling the task that iterates it)
    closes the upstream connection. It yields `Finished` only when the provider said so, and `Usage` at most once.
    """

    def stream(self, request: CompletionRequest) -> AsyncIterator[Event]:
        """Yield the events of one completion."""
        ...
