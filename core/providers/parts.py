"""What a message can hold beside plain text, as it goes to a model.

Pure values: where bytes lie and how a provider wants them written is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of text; the text of an attached file is one too."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """An image by the hash of its bytes (SHA-256, hex): they are read when the call goes out. The size is in pixels.

    `data` are the bytes of one that is kept nowhere. `detail` is how closely OpenAI's models look: low, high or auto.
    """

    content_hash: str
    media_type: str
    width: int
    height: int
    data: bytes | None = field(default=None, repr=False)
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that a model asks for; `arguments` is a JSON object as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool returned to the call of that id."""

    call_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReasoning:
    """Reasoning before a tool call that its model signed: it wants it back unchanged; no other model can read it."""

    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class ReasoningText:
    """Reasoning of an earlier answer, unsigned, for models that want to read it again."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOffer:
    """A tool that a request offers: what it does, in words for the model, and its arguments as a JSON schema.

    `strict`: the provider is to hold the model to the schema; None: as it usually does.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    strict: bool | None = None


Part = TextPart | ImagePart | ToolCall | ToolResult | SignedReasoning | ReasoningText
