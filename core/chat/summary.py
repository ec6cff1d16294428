"""The summary that stands for the older part of a conversation when it is sent. Nothing of the conversation is deleted.

A person asks for one, sees it, and takes it back; as long as it stands, models read it in place of the messages up to
`up_to`. On a branch without that message it says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.chat.conversation import Message
from core.clock import Clock, utc_now
from core.store.database import Cursor, Database
from core.store.kept import KeptReads
from core.store.sql import load_queries

_SQL = load_queries("summaries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A summary by a model. `messages` counts those it stands for, `up_to` is the last of them."""

    id: str
    conversation_id: str
    user_id: str
    up_to: str
    messages: int
    text: str
    model_label: str
    turn_id: str
    created_at: datetime


_KEPT: KeptReads[Summary | None] = KeptReads(most=1000, tables=("summaries",), may_lag=True)


def condensed(history: Sequence[Message], summary: Summary | None) -> list[Message]:
    """The history as it is sent: the summary in place of what it stands for; as it is where it stands for nothing."""
    places = [place for place, message in enumerate(history) if summary and message.id == summary.up_to]
    if summary is None or not places:
        return list(history)
    first, rest = history[0], history[places[0] + 1 :]
    told = f"(A summary of the first {summary.messages} messages of this conversation:)\n\n{summary.text}"
    # As the person's words: a model takes what the person says of the conversation, and not every one a system prompt.
    note = replace(first, id=summary.id, role="user", content=told, attachments=(), steps=(), served_model=None)
    return [note, *rest]


def load_summary(database: Database, *, conversation_id: str, user_id: str) -> Summary | None:
    """The summary that stands in a conversation of this person; None when there is none."""

    def read() -> Summary | None:
        row = database.fetch_one(_SQL["load_summary"], conversation_id=conversation_id, user_id=user_id)
        return None if row is None else Summary(**row)

    return _KEPT.read(database, (conversation_id, user_id), read)


def insert_summary(cur: Cursor, summary: Summary) -> None:
    """Let a summary stand in place of the one before, within the caller's transaction."""
    cur.execute(
        _SQL["take_back_summaries"],
        conversation_id=summary.conversation_id,
        user_id=summary.user_id,
        now=summary.created_at,
    )
    cur.execute(_SQL["insert_summary"], **{name: getattr(summary, name) for name in Summary.__slots__})


def take_back_summary(database: Database, *, conversation_id: str, user_id: str, clock: Clock = utc_now) -> None:
    """Send a conversation's messages themselves again."""
    database.execute(_SQL["take_back_summaries"], conversation_id=conversation_id, user_id=user_id, now=clock())
