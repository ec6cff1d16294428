"""Messages in OpenAI's form, which LiteLLM rewrites for everybody else; and reading what comes back in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.providers.gateway import ChatMessage
from core.providers.parts import (
    ImagePart,
    Part,
    ReasoningText,
    SignedReasoning,
    TextPart,
    ToolCall,
    ToolOffer,
    ToolResult,
)

# What an answer may hold that has fields of its own.
_BESIDE_TEXT = (ToolCall, ReasoningText, SignedReasoning)


def wire_messages(message: ChatMessage, *, images: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """One message as the provider gets it; several for the results of tools, which stand alone there.

    `images` gives the data URL of each image by its hash.
    """
    named = {"name": message.name} if message.name else {}
    if not message.parts:
        yield {"role": message.role, "content": message.content, **named}
    elif message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.call_id, "content": part.text}
    elif any(isinstance(part, _BESIDE_TEXT) for part in message.parts):
        yield _answered(message) | named
    else:
        yield {"role": message.role, "content": [_block(part, images) for part in message.parts], **named}


def field_of(block: Any, name: str) -> Any:
    """A field of a block that a library has parsed, or of plain JSON; None where it is not there."""
    return block.get(name) if isinstance(block, Mapping) else getattr(block, name, None)


def wire_tool(offer: ToolOffer) -> dict[str, Any]:
    """A tool that a request offers."""
    named = {"name": offer.name, "description": offer.description, "parameters": dict(offer.schema)}
    strict = {} if offer.strict is None else {"strict": offer.strict}
    return {"type": "function", "function": {**named, **strict}}


def _answered(message: ChatMessage) -> dict[str, Any]:
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    thoughts = "".join(part.text for part in message.parts if isinstance(part, ReasoningText))
    told = {"tool_calls": calls, "thinking_blocks": _signed(message.parts), "reasoning_content": thoughts}
    return {
        "role": message.role,
        "content": message.content or None,
        **{name: value for name, value in told.items() if value},
    }


def _signed(parts: Sequence[Part]) -> list[dict[str, str]]:
    return [
        {"type": "thinking", "thinking": part.text, "signature": part.signature}
        for part in parts
        if isinstance(part, SignedReasoning)
    ]


def _block(part: Part, images: Mapping[str, str]) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ImagePart():
            detail = {"detail": part.detail} if part.detail else {}
            return {"type": "image_url", "image_url": {"url": images[part.content_hash], **detail}}
        case _:
            raise TypeError(f"{type(part).__name__} has no place here")
