"""The tree of a conversation's messages: which ones stand beside each other, and what lies below them. Pure functions.

An edited question is a sibling of the one it replaces, an answer given again a sibling of the one before. Damaged data
(a parent that is missing, a cycle) never raises: what can be walked is walked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.chat.conversation import Message

# The messages under each message, by its id (None: those at the root), in the order they were made.
Children = Mapping[str | None, Sequence[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message stands among its siblings: `number` of `count`, and the ids of its neighbours."""

    number: int
    count: int
    previous: str | None
    next: str | None


def children_of(messages: Mapping[str, Message]) -> Children:
    """What lies under each message."""
    found: defaultdict[str | None, list[Message]] = defaultdict(list)
    for message in sorted(messages.values(), key=_age):
        found[message.parent_id].append(message)
    return found


def place_of(children: Children, message: Message) -> Place:
    """Where a message stands among those of the same role under the same parent; one that is not there yet is last."""
    row = [sibling.id for sibling in children.get(message.parent_id, ()) if sibling.role == message.role]
    return place_in(row, message.id)


def place_in(siblings: Sequence[str], message_id: str) -> Place:
    """Where a message stands among its siblings, which are in the order they were made."""
    row = list(siblings)
    if message_id not in row:
        row.append(message_id)
    at = row.index(message_id)
    return Place(
        number=at + 1,
        count=len(row),
        previous=row[at - 1] if at > 0 else None,
        next=row[at + 1] if at + 1 < len(row) else None,
    )


def below(children: Children, root_id: str) -> list[str]:
    """The ids of a message and of all that lies under it, each once."""
    found: dict[str, None] = {}
    waiting = [root_id]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found[current] = None
            waiting += [child.id for child in children.get(current, ())]
    return list(found)


def newest_leaf(children: Children, root_id: str) -> str:
    """The end of the branch under a message, taking the newest way at every fork; the message itself at the end."""
    seen, current = {root_id}, root_id
    while (under := children.get(current)) and under[-1].id not in seen:
        current = under[-1].id
        seen.add(current)
    return current


def leaf_under(children: Children, root_id: str, *, left_at: str | None) -> str:
    """Where the branch under a message ends: where it was left, if that still lies under it, else its newest leaf."""
    if left_at is not None and left_at in below(children, root_id):
        return newest_leaf(children, left_at)
    return newest_leaf(children, root_id)


def _age(message: Message) -> tuple[object, str]:
    return message.created_at, message.id
