"""Messages in the form LiteLLM takes them: OpenAI's, which it rewrites for everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.providers.gateway import ChatMessage
from core.providers.parts import ImagePart, Part, SignedReasoning, TextPart, ToolCall, ToolResult


def wire_messages(message: ChatMessage, *, images: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """One message as the provider gets it; several for the results of tools, which stand alone there.

    `images` gives the data URL of each image by its hash.
    """
    if not message.parts:
        yield {"role": message.role, "content": message.content}
    elif message.role == "tool":
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.call_id, "content": part.text}
    elif any(isinstance(part, ToolCall) for part in message.parts):
        yield _calling(message)
    else:
        yield {"role": message.role, "content": [_block(part, images) for part in message.parts]}


def _calling(message: ChatMessage) -> dict[str, Any]:
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    signed = _signed(message.parts)
    thinking = {"thinking_blocks": signed} if signed else {}
    return {"role": message.role, "content": message.content or None, "tool_calls": calls, **thinking}


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
            return {"type": "image_url", "image_url": {"url": images[part.content_hash]}}
        case _:
            raise TypeError(f"{type(part).__name__} has no place here")
