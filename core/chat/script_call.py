"""A request as a script makes it: its own messages and tools in place of a conversation's, nothing of it stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from core.catalog.models import Capability, ModelSpec, ParameterValue
from core.chat.portability import alternating
from core.errors import TurnRefused
from core.providers.gateway import ChatMessage, CompletionRequest, message_of
from core.providers.parts import ImagePart, Part, ReasoningText, SignedReasoning, ToolCall, ToolOffer, ToolResult

# Who reads reasoning that is no longer signed: these say so in their references, and so do most servers of open models,
# which are somebody's own endpoint. Others refuse a field that they do not know.
_READS_REASONING = frozenset({"deepseek", "moonshot", "openrouter"})
_NINE_LETTERS = frozenset({"mistral", "codestral"})
_WORDS = {
    Capability.VISION: "see images",
    Capability.TOOLS: "call tools",
    Capability.JSON: "be held to a JSON schema",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCall:
    """What a script sends. `messages` are all but the system prompt, with the ids of its tools' calls.

    It runs its `tools` itself: an answer that calls one ends there. `wire_fields` are those of
    `core.providers.gateway.CompletionRequest`.
    """

    messages: Sequence[ChatMessage]
    tools: Sequence[ToolOffer] = ()
    wire_fields: Mapping[str, Any] = field(default_factory=dict)


def completion_of(
    call: ScriptCall, *, model: ModelSpec, system_prompt: str | None, parameters: Mapping[str, ParameterValue]
) -> CompletionRequest:
    """The call as `model` takes it. Raises TurnRefused (vision, tools, json) for what it cannot do.

    Nothing that the script said is left out but reasoning that this model could not read.
    """
    _refuse_unable(call, model)
    ids = _ids_for(call, model)
    fitted = [_fitted(message, model, ids) for message in call.messages]
    return CompletionRequest(
        model=model,
        messages=alternating(fitted, model=model, system_prompt=system_prompt),
        parameters=parameters,
        tools=call.tools,
        wire_fields=call.wire_fields,
        streams_calls=True,
    )


def capabilities_of(call: ScriptCall) -> frozenset[Capability]:
    """What a call asks of whoever answers it."""
    seen = any(isinstance(part, ImagePart) for message in call.messages for part in message.parts)
    wanted = {
        Capability.VISION: seen,
        Capability.TOOLS: bool(call.tools),
        Capability.JSON: "response_format" in call.wire_fields,
    }
    return frozenset(capability for capability, needed in wanted.items() if needed)


def _refuse_unable(call: ScriptCall, model: ModelSpec) -> None:
    for capability in sorted(capabilities_of(call) - model.capabilities):
        what = f"{model.label} cannot {_WORDS[capability]}."
        raise TurnRefused(str(capability), what, next_step="Choose a model that can.")


def _ids_for(call: ScriptCall, model: ModelSpec) -> Mapping[str, str]:
    """The ids of calls as the model takes them; Mistral takes nothing but nine letters and digits."""
    if model.provider.kind not in _NINE_LETTERS:
        return {}
    numbers = count(1)
    return {
        part.id: f"call{next(numbers):05}"
        for message in call.messages
        for part in message.parts
        if isinstance(part, ToolCall)
    }


def _fitted(message: ChatMessage, model: ModelSpec, ids: Mapping[str, str]) -> ChatMessage:
    parts = [_renamed(part, ids) for part in message.parts if _readable(part, model)]
    return replace(message_of(message.role, parts), name=message.name) if parts else message


def _renamed(part: Part, ids: Mapping[str, str]) -> Part:
    match part:
        case ToolCall(id=known) if known in ids:
            return replace(part, id=ids[known])
        case ToolResult(call_id=known) if known in ids:
            return replace(part, call_id=ids[known])
        case _:
            return part


def _readable(part: Part, model: ModelSpec) -> bool:
    match part:
        case SignedReasoning():
            return model.provider.kind == "anthropic" or "claude" in model.upstream
        case ReasoningText():
            own_endpoint = model.provider.id != model.provider.kind
            reads = own_endpoint or model.provider.kind in _READS_REASONING
            return reads and Capability.REASONING in model.capabilities
        case _:
            return True
