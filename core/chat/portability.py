"""A conversation as the chosen model can take it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, groupby

from core.catalog.models import Capability, ModelSpec
from core.chat.conversation import Attachment, Message, ToolStep, ToolUse
from core.providers.gateway import ChatMessage, message_of
from core.providers.parts import ImagePart, Part, TextPart, ToolCall, ToolResult

# Anthropic and the chat templates of many open models refuse a conversation that the model itself opens.
_OPENING = "(You open this conversation.)"
_NOTHING = "Nothing came back."
_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What the model takes. `numbers` gives the calls of the whole history their ids."""

    model_id: str
    images: bool
    tools: bool
    numbers: Iterator[int] = field(default_factory=lambda: count(1))


def to_messages(
    history: Sequence[Message], *, model: ModelSpec, system_prompt: str | None = None, tools: bool = False
) -> list[ChatMessage]:
    """The history as a request to `model`: the system prompt first, then alternating turns.

    `system_prompt` replaces the model's own; an empty one means none. `tools` says that the request offers tools.

    Answers without text (a call that failed) are left out, and messages of one role that then follow each other are
    joined: some providers refuse two of the same role in a row. Before an answer that nobody asked for (a greeting, a
    question without text) stands a message that says so.

    Attached files become text, which every model reads. Images go to models that see, others read a note in their
    place. Tool calls stay calls, each followed by its result, where the request offers tools; else they become text.
    Reasoning is not sent: providers drop it from earlier turns. Only what a model signed before a tool call goes back,
    to that model.
    """
    takes = model.capabilities
    target = _Target(model_id=model.id, images=Capability.VISION in takes, tools=tools and Capability.TOOLS in takes)
    spoken = [
        said for place, message in enumerate(history, 1) for said in _said(message, target, place == len(history))
    ]
    return alternating(spoken, model=model, system_prompt=system_prompt)


def alternating(
    messages: Iterable[ChatMessage], *, model: ModelSpec, system_prompt: str | None = None
) -> list[ChatMessage]:
    """The messages as providers want them: the system prompt first, then a person, and nobody twice in a row.

    `system_prompt` replaces the model's own; an empty one means none. Who has a name is somebody else.
    """
    alike = groupby(messages, key=lambda message: (message.role, message.name))
    joined = [_joined(list(group)) for _, group in alike]
    if joined and joined[0].role != "user":
        joined.insert(0, ChatMessage("user", _OPENING))
    prompt = model.system_prompt if system_prompt is None else system_prompt
    return _with_system_prompt(joined, model, prompt)


def images_left_out(history: Sequence[Message], *, model: ModelSpec) -> int:
    """How many images of a history `model` reads a note about, because it cannot see them."""
    if Capability.VISION in model.capabilities:
        return 0
    return sum(attached.kind == "image" for message in history for attached in message.attachments)


def _said(message: Message, target: _Target, last: bool) -> Iterator[ChatMessage]:  # noqa: FBT001 - private
    if message.attachments:
        yield message_of(message.role, _with_files(message, target))
        return
    if message.steps:
        yield from _with_steps(message, target, last=last)
    if message.content.strip():
        yield ChatMessage(message.role, message.content)


def _joined(messages: Sequence[ChatMessage]) -> ChatMessage:
    first = messages[0]
    if len(messages) == 1:
        return first
    if any(message.parts for message in messages):
        whole = message_of(first.role, [part for message in messages for part in _parts(message)])
        return replace(whole, name=first.name)
    return replace(first, content="\n\n".join(message.content for message in messages))


def _parts(message: ChatMessage) -> Sequence[Part]:
    return message.parts or (TextPart(message.content),)


def _with_system_prompt(messages: list[ChatMessage], model: ModelSpec, prompt: str | None) -> list[ChatMessage]:
    if not prompt or not prompt.strip() or not messages:
        return messages
    if Capability.SYSTEM_PROMPT in model.capabilities:
        return [ChatMessage("system", prompt), *messages]
    # A model without system prompts reads the instruction at the head of the first message instead.
    first, *rest = messages
    if first.parts:
        return [replace(message_of(first.role, (TextPart(prompt), *first.parts)), name=first.name), *rest]
    return [replace(first, content=f"{prompt}\n\n{first.content}"), *rest]


def _with_files(message: Message, target: _Target) -> list[Part]:
    # What is asked about stands before the question: providers say that models read it better so.
    files = [_file(attached, target) for attached in message.attachments]
    files.sort(key=lambda part: not isinstance(part, ImagePart))
    return [*files, TextPart(message.content)] if message.content.strip() else files


def _file(attached: Attachment, target: _Target) -> Part:
    if attached.lost:
        return TextPart(f"(The file {attached.name} was attached here and is no longer kept.)")
    if attached.kind != "image":
        return TextPart(_as_text(attached))
    if not target.images:
        size = f"{attached.width} by {attached.height} pixels"
        return TextPart(f"(The image {attached.name}, {size}, was attached here. You cannot see images.)")
    return ImagePart(
        content_hash=attached.content_hash,
        media_type=attached.media_type,
        width=attached.width or 0,
        height=attached.height or 0,
    )


def _as_text(attached: Attachment) -> str:
    text = attached.text or ""
    # A fence longer than any in the text, so that the file's end cannot be mistaken.
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCE.findall(text))])
    pages = f" ({attached.pages} pages)" if attached.pages else ""
    return f"The file {attached.name}{pages}:\n{fence}\n{text}\n{fence}"


def _with_steps(message: Message, target: _Target, *, last: bool) -> Iterator[ChatMessage]:
    """The steps of an answer: as calls and results, or told.

    As calls only when they are whole: a call without its result, or results that a question follows, are refused.
    """
    whole = all(step.uses and all(_whole(use) for use in step.uses) for step in message.steps)
    if not (target.tools and whole and (last or message.content.strip())):
        told = "\n\n".join(filter(None, (_told(step) for step in message.steps)))
        if told:
            yield ChatMessage(message.role, told)
        return
    for step in message.steps:
        yield from _called(step, target, own=message.served_model == target.model_id)


def _called(step: ToolStep, target: _Target, *, own: bool) -> Iterator[ChatMessage]:
    # Nine letters and digits are an id that every provider takes; Mistral takes nothing else.
    calls = [ToolCall(id=f"call{next(target.numbers):05}", name=use.name, arguments=use.arguments) for use in step.uses]
    reasoning = [step.reasoning] if own and step.reasoning else []
    text = [TextPart(step.text)] if step.text.strip() else []
    yield message_of("assistant", [*reasoning, *text, *calls])
    results = zip(calls, step.uses, strict=True)
    yield message_of("tool", [ToolResult(call_id=call.id, text=use.result or _NOTHING) for call, use in results])


def _whole(use: ToolUse) -> bool:
    try:
        arguments = json.loads(use.arguments)
    except ValueError:
        return False
    return use.result is not None and isinstance(arguments, dict)


def _told(step: ToolStep) -> str:
    uses = [f"(Called {use.name} with {use.arguments}. {_returned(use.result)})" for use in step.uses]
    return "\n\n".join([step.text, *uses] if step.text.strip() else uses)


def _returned(result: str | None) -> str:
    return _NOTHING if not result else f"It returned: {result}"
