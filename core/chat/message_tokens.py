"""About how many tokens messages are, images and tool calls included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.catalog.models import ModelSpec
from core.costs.kept_counts import KEPT_COUNTS
from core.costs.token_count import estimate_image_tokens
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.parts import ImagePart, ReasoningText, ToolCall

# English has four bytes a token, Chinese three: a figure that is rather too high, and needs no counting.
BYTES_PER_TOKEN = 3
# What each message costs besides its text (OpenAI's cookbook counts 3 to 4).
_MESSAGE_TOKENS = 4


def estimate_image_tokens_of(messages: Iterable[ChatMessage], *, model: ModelSpec) -> int:
    """The tokens of all images in the messages, as `model` counts them."""
    images = (part for message in messages for part in message.parts if isinstance(part, ImagePart))
    return sum(estimate_image_tokens(image.width, image.height, kind=model.provider.kind) for image in images)


def texts_of(messages: Iterable[ChatMessage]) -> Sequence[str]:
    """All text that goes out with the messages, one piece per message."""
    return [_text(message) if message.parts else message.content for message in messages]


def estimate_message_tokens(messages: Sequence[ChatMessage], *, model: ModelSpec) -> int:
    """The tokens of the messages: their text and their images."""
    texts = sum(KEPT_COUNTS.exactly(text) for text in texts_of(messages))
    return texts + estimate_image_tokens_of(messages, model=model)


def quick_tokens(completion: CompletionRequest) -> int:
    """A figure for the input that is rather too high and takes microseconds."""
    messages = completion.messages
    size = sum(len(text.encode("utf-8", "replace")) for text in texts_of(messages))
    images = estimate_image_tokens_of(messages, model=completion.model)
    return size // BYTES_PER_TOKEN + 1 + _MESSAGE_TOKENS * len(messages) + images


def counted_tokens(completion: CompletionRequest) -> int:
    """The input by our own count."""
    messages = completion.messages
    return estimate_message_tokens(messages, model=completion.model) + _MESSAGE_TOKENS * len(messages)


def _text(message: ChatMessage) -> str:
    calls = (f"{part.name} {part.arguments}" for part in message.parts if isinstance(part, ToolCall))
    thoughts = (part.text for part in message.parts if isinstance(part, ReasoningText))
    return " ".join([message.content, *calls, *thoughts])
