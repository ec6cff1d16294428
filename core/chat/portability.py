"""A conversation as the chosen model can take it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from core.catalog.models import Capability, ModelSpec
from core.chat.conversation import Message
from core.providers.gateway import ChatMessage

# Anthropic and the chat templates of many open models refuse a conversation that the model itself opens.
_OPENING = "(You open this conversation.)"


def to_messages(history: Sequence[Message], *, model: ModelSpec, system_prompt: str | None = None) -> list[ChatMessage]:
    """The history as a request to `model`: the system prompt first, then alternating turns.

    `system_prompt` replaces the model's own; an empty one means none.

    Answers without text (a call that failed) are left out, and messages of one role that then follow each other are
    joined: some providers refuse two of the same role in a row. Before an answer that nobody asked for (a greeting, a
    question without text) stands a message that says so. Reasoning is never sent.
    """
    spoken = [ChatMessage(message.role, message.content) for message in history if message.content.strip()]
    joined = [
        ChatMessage(role, "\n\n".join(message.content for message in group))
        for role, group in groupby(spoken, key=lambda message: message.role)
    ]
    if joined and joined[0].role != "user":
        joined.insert(0, ChatMessage("user", _OPENING))
    prompt = model.system_prompt if system_prompt is None else system_prompt
    return _with_system_prompt(joined, model, prompt)


def _with_system_prompt(messages: list[ChatMessage], model: ModelSpec, prompt: str | None) -> list[ChatMessage]:
    if not prompt or not prompt.strip() or not messages:
        return messages
    if Capability.SYSTEM_PROMPT in model.capabilities:
        return [ChatMessage("system", prompt), *messages]
    # A model without system prompts reads the instruction at the head of the first message instead.
    first, *rest = messages
    return [ChatMessage(first.role, f"{prompt}\n\n{first.content}"), *rest]
