"""The messages of a chat completion as values of ours. Pure, but for reading the images that they bring."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from api.completion_body import ContentPart, ImageUrl, WireMessage
from api.errors import ApiError
from core.chat.attachment_images import Unreadable, prepare_image
from core.providers.gateway import ChatMessage, message_of
from core.providers.parts import ImagePart, Part, ReasoningText, SignedReasoning, TextPart, ToolCall, ToolResult

MOST_IMAGES = 20
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What a request says: its system prompt, None without one, and everything else."""

    system_prompt: str | None
    messages: Sequence[ChatMessage]


def said_in(messages: Sequence[WireMessage]) -> Said:
    """The messages of a request, those of the system in one. Raises ApiError (400) naming the message that is wrong."""
    _check_images(messages)
    _check_calls(messages)
    system = [_text(message, at) for at, message in enumerate(messages) if message.role in {"system", "developer"}]
    spoken = [made for at, message in enumerate(messages) if (made := _made(message, at)) is not None]
    if not spoken or messages[-1].role not in {"user", "tool"}:
        raise wrong("messages", "The last message has to be the user's or a tool's result: that is what is answered.")
    if messages[-1].role == "user" and not (spoken[-1].content.strip() or spoken[-1].parts):
        raise wrong(f"messages.{len(messages) - 1}", "The last message is empty.")
    return Said("\n\n".join(system) if system else None, spoken)


def wrong(param: str, message: str, *, code: str = "invalid_value") -> ApiError:
    """The answer to a field that is wrong."""
    return ApiError(status=400, message=message, code=code, param=param)


def _made(message: WireMessage, at: int) -> ChatMessage | None:
    """A message as it goes to a model; None for one of the system, and for an answer that says nothing."""
    match message.role:
        case "user":
            return replace(message_of("user", list(_user_parts(message, at))), name=message.name)
        case "assistant":
            parts = list(_answer_parts(message, at))
            return replace(message_of("assistant", parts), name=message.name) if parts else None
        case "tool":
            result = ToolResult(call_id=message.tool_call_id or "", text=_text(message, at))
            return message_of("tool", [result])
        case "function":
            raise wrong(f"messages.{at}", "The role function is not supported here: send tools and the role tool.")
    return None


def _user_parts(message: WireMessage, at: int) -> Iterator[Part]:
    if not isinstance(message.content, list):
        yield TextPart(_text(message, at))
        return
    for part in message.content:
        if part.type == "image_url" and part.image_url is not None:
            yield _image(part.image_url, at)
        else:
            yield TextPart(_text_of(part, at))


def _answer_parts(message: WireMessage, at: int) -> Iterator[Part]:
    if message.audio or message.function_call:
        raise wrong(f"messages.{at}", "Answers with audio or function_call are not supported here.")
    for block in message.thinking_blocks or ():
        yield SignedReasoning(text=block.thinking, signature=block.signature)
    if reasoning := message.reasoning_content or message.reasoning:
        yield ReasoningText(reasoning)
    if text := _text(message, at) or message.refusal:
        yield TextPart(text)
    for call in message.tool_calls or ():
        yield ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)


def _text(message: WireMessage, at: int) -> str:
    if isinstance(message.content, list):
        return "\n\n".join(_text_of(part, at) for part in message.content)
    return message.content or ""


def _text_of(part: ContentPart, at: int) -> str:
    if part.type == "text":
        return part.text or ""
    if part.type == "refusal":
        return part.refusal or ""
    kinds = "text is, and image_url in a user's message"
    raise wrong(f"messages.{at}", f"A part of the type {part.type[:40]} is not supported here; {kinds}.")


def _image(given: ImageUrl, at: int) -> ImagePart:
    head = _DATA_URL.match(given.url)
    if head is None:
        message = "An image has to come as a data URL (data:image/png;base64,...): addresses are not fetched."
        raise wrong(f"messages.{at}", message)
    try:
        image = prepare_image(base64.b64decode(given.url[head.end() :], validate=True))
    except binascii.Error:
        raise wrong(f"messages.{at}", "The image's Base64 is damaged.") from None
    except Unreadable as error:
        raise wrong(f"messages.{at}", f"The image {error.what}. {error.next_step}") from None
    return ImagePart(
        content_hash=hashlib.sha256(image.data).hexdigest(),
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        data=image.data,
        detail=given.detail,
    )


def _check_images(messages: Sequence[WireMessage]) -> None:
    parts = (part for message in messages if isinstance(message.content, list) for part in message.content)
    if sum(part.image_url is not None for part in parts) > MOST_IMAGES:
        raise wrong("messages", f"A request takes {MOST_IMAGES} images at most.")


def _check_calls(messages: Sequence[WireMessage]) -> None:
    """Every call is followed by its result, and every result by nothing but more of them: providers refuse the rest."""
    waiting: set[str] = set()
    for at, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                raise wrong(f"messages.{at}", "This is the result of no call in the answer before it.")
            waiting.discard(message.tool_call_id)
            continue
        if waiting:
            raise wrong(f"messages.{at}", f"The result of the call {min(waiting)[:80]} has to come before this.")
        waiting = {call.id for call in message.tool_calls or ()}
        if waiting and message.role != "assistant":
            raise wrong(f"messages.{at}", "Only an answer can have tool_calls.")
        if len(waiting) != len(message.tool_calls or ()):
            raise wrong(f"messages.{at}", "Every call needs an id of its own.")
    if waiting:
        raise wrong("messages", f"The call {min(waiting)[:80]} has no result.")
