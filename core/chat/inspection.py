"""Reading somebody else's conversation: administrators only, only where the team allows it, never without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.accounts.audit import record
from core.accounts.preferences import load_team_defaults, read_preferences
from core.accounts.users import User
from core.chat.conversation import Conversation, Message
from core.chat.store import load_conversation, load_messages
from core.clock import Clock, utc_now
from core.errors import AccountError, NotFound
from core.store.database import Cursor, Database
from core.store.sql import load_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """Somebody's conversation with all its messages in the order they were made."""

    conversation: Conversation
    messages: Sequence[Message]


def inspection_allowed(database: Database, *, viewer: User) -> bool:
    """Whether this person may read others' conversations: an administrator, where the team's setting says "on"."""
    return viewer.is_admin and read_preferences(load_team_defaults(database)).inspection == "on"


def inspect_conversation(
    database: Database, *, viewer: User, conversation_id: str, clock: Clock = utc_now
) -> Inspected:
    """Somebody else's conversation, for an administrator. Leaves an audit row before anything is read.

    Raises AccountError where it is not allowed, NotFound when it is deleted or never was.
    """
    if not inspection_allowed(database, viewer=viewer):
        raise AccountError(
            "Others' conversations are closed to you.",
            next_step="Where it is needed, an administrator can allow administrators to read them, in Settings.",
        )
    row = database.fetch_one(load_queries("inspection")["owner_of_conversation"], id=conversation_id)
    if row is None:
        raise NotFound("This conversation was deleted.", next_step="Its calls and costs stay in the ledger.")

    def leave_trace(cur: Cursor) -> None:
        record(
            cur,
            actor_id=viewer.id,
            action="conversation.read",
            subject=row["username"],
            after={"conversation": conversation_id},
            clock=clock,
        )

    database.transaction(leave_trace)
    conversation = load_conversation(database, conversation_id=conversation_id, user_id=row["user_id"])
    return Inspected(
        conversation=conversation, messages=load_messages(database, conversation=conversation, figures=False)
    )
