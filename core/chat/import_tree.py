"""What the readers of other programs' exports share: texts out of content lists, and parents of what is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from core.chat.conversation import Message
from core.chat.exchange import text_of
from core.errors import DamagedEntry


def visible_parent(
    start: str | None, *, parent_of: Callable[[str], str | None], visible: Callable[[str], bool]
) -> tuple[str | None, list[str]]:
    """The nearest visible node from `start` upwards (itself included), and the hidden ones passed on the way.

    A parent that is missing, or a cycle in damaged data, ends the walk: then there is no visible one.
    """
    passed: list[str] = []
    seen: set[str] = set()
    current = start
    while current and current not in seen:
        if visible(current):
            return current, passed
        seen.add(current)
        passed.append(current)
        current = parent_of(current)
    return None, passed


def joined(parts: Iterable[str]) -> str:
    """Texts with a blank line between them; empty ones are left out."""
    return "\n\n".join(part for part in parts if part.strip())


def texts(content: object) -> list[str]:
    """The texts of a content: a text, or a list of texts and of objects with one; what has none is named."""
    if isinstance(content, str):
        return [content]
    return [_part(part) for part in content] if isinstance(content, list) else []


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    text = part.get("text")
    if isinstance(text, dict):
        text = text.get("value")
    if isinstance(text, str):
        return text
    return not_imported(part.get("type") or part.get("content_type"))


def not_imported(kind: object) -> str:
    """What stands where something was that has no text."""
    named = text_of(kind).replace("_", " ")
    if "image" in named:
        return "(An image, not imported.)"
    return f"(Something of the kind “{named}”, not imported.)" if named else ""


def quoted(text: str, *, language: str = "") -> str:
    """A text as a code block, with a fence that it does not hold itself."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def parents_first(messages: Sequence[Message]) -> list[Message]:
    """The messages with every one behind its parent, else in the given order; those in a cycle come last."""
    known = {message.id for message in messages}
    under: defaultdict[str | None, list[Message]] = defaultdict(list)
    for message in messages:
        under[message.parent_id if message.parent_id in known else None].append(message)
    found: dict[str, Message] = {}
    waiting = list(reversed(under[None]))
    while waiting:
        message = waiting.pop()
        if message.id not in found:
            found[message.id] = message
            waiting += reversed(under[message.id])
    return [*found.values(), *(message for message in messages if message.id not in found)]


def leaf_of(messages: Sequence[Message], wanted: str | None) -> str | None:
    """The end of the branch to show: the one the source names, else the last message."""
    known = {message.id for message in messages}
    return wanted if wanted in known else messages[-1].id if messages else None


def at_least_one(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages. Raises DamagedEntry when there are none."""
    if not messages:
        raise DamagedEntry("it holds no message that can be read")
    return tuple(messages)


def objects(values: object) -> list[Mapping[str, Any]]:
    """The objects of a list; what else is in it is left out."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
