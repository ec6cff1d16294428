"""Leaving out the oldest messages of a history that is too long for a model. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence

from core.catalog.models import ModelSpec
from core.chat.conversation import Message
from core.chat.history_size import message_tokens
from core.costs.kept_counts import KEPT_COUNTS

# Left free for the answer, and for what our own count may be off: a quarter of the window.
_FOR_HISTORY = 0.75


def room_for_history(model: ModelSpec) -> int | None:
    """How many tokens a shortened history may have; None where nobody knows the window."""
    return None if model.context_tokens is None else int(model.context_tokens * _FOR_HISTORY)


def without_oldest(
    history: Sequence[Message], *, model: ModelSpec, system_prompt: str | None = None
) -> tuple[list[Message], int]:
    """The end of a history that fits `model`, and how many messages before it are left out.

    It begins with a message of the person. The last message always stays: whether it fits is not decided here.
    """
    room = room_for_history(model)
    if room is None:
        return list(history), 0
    prompt = model.system_prompt if system_prompt is None else system_prompt
    left = room - KEPT_COUNTS.exactly(prompt or "")
    first = len(history)
    while first > 0:
        left -= message_tokens(history[first - 1], model)
        if left < 0 and first < len(history):
            break
        first -= 1
    while first < len(history) - 1 and history[first].role != "user" and first > 0:
        first += 1
    return list(history[first:]), first
