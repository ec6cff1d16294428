"""What was said: in the columns of a comparison, and in the chat that it goes on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.arena.comparison import Column, Comparison, Origin
from core.chat.continuation import as_read
from core.chat.conversation import Message, branch, by_id
from core.chat.store import load_conversation, load_messages, load_several
from core.chat.tree import Place, place_in
from core.errors import NotFound, TurnRefused
from core.store.database import Database
from core.store.sql import load_queries

_SQL = load_queries("comparisons")


def leaves_of(database: Database, comparison: Comparison) -> dict[str, str | None]:
    """The last message of every column that has any, by column id."""
    rows = database.fetch_all(_SQL["leaves_of"], comparison_id=comparison.id, user_id=comparison.user_id)
    return {row["id"]: row["leaf_message_id"] for row in rows}


def messages_in(database: Database, comparison: Comparison, columns: Sequence[Column]) -> dict[str, list[Message]]:
    """What was said in columns of a comparison, as it is read, with the figures of the answers, by column id."""
    stored = stored_in(database, comparison, columns)
    return {column_id: as_read(messages) for column_id, messages in stored.items()}


def messages_of_column(database: Database, comparison: Comparison, column: Column) -> list[Message]:
    """What was said in one column, as it is read, with the figures of its answers."""
    return messages_in(database, comparison, [column])[column.id]


def stored_in(database: Database, comparison: Comparison, columns: Sequence[Column]) -> dict[str, list[Message]]:
    """The messages on show in columns, as they are stored: an answer that was continued has several parts.

    A column that took no message yet has none.
    """
    leaves = leaves_of(database, comparison)
    found = load_several(database, [column.id for column in columns if column.id in leaves])
    return {column.id: branch(by_id(found.get(column.id, ())), leaf_id=leaves.get(column.id)) for column in columns}


def versions_of(database: Database, said: Mapping[str, Sequence[Message]]) -> dict[str, Place]:
    """Where the last answer of every column stands among all that were given to the question; by its id.

    `said` is what is read, by column id. An answer that was given once has no entry.
    """
    last = [messages[-1] for messages in said.values() if messages and messages[-1].role == "assistant"]
    if not last:
        return {}
    rows = database.fetch_all(
        _SQL["versions_of"], ids=[one.conversation_id for one in last], parents=[one.parent_id for one in last]
    )
    beside: dict[str | None, list[str]] = {}
    for row in rows:
        beside.setdefault(row["parent_id"], []).append(row["id"])
    found = {one.id: place_in(beside.get(one.parent_id, ()), one.id) for one in last}
    return {name: place for name, place in found.items() if place.count > 1}


def load_history(database: Database, origin: Origin | None, *, user_id: str) -> list[Message]:
    """The history that models read before a comparison's own messages; empty without an origin.

    Raises TurnRefused when it is no longer there: what somebody deleted is not sent to anybody.
    """
    if origin is None or origin.message_id is None:
        return []
    try:
        conversation = load_conversation(database, conversation_id=origin.conversation_id, user_id=user_id)
    except NotFound as error:
        raise _history_gone() from error
    messages = by_id(load_messages(database, conversation=conversation, figures=False))
    path = branch(messages, leaf_id=origin.message_id)
    if not path:
        raise _history_gone()
    return path


def _history_gone() -> TurnRefused:
    return TurnRefused(
        "unknown_message",
        "The chat that this comparison goes on from was deleted, or a part of it.",
        next_step="Restore it, or start a new comparison. Your message is kept in the box.",
    )
