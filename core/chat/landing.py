"""Showing one message of a conversation, on whichever branch it is."""

from __future__ import annotations

from dataclasses import dataclass

from core.chat.branches import show_branch
from core.chat.continuation import as_read
from core.chat.conversation import branch, by_id
from core.chat.store import load_conversation, load_messages
from core.errors import NotFound
from core.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where on the branch on show a message is: in the message `message_id` as it is read, `from_end` of the last."""

    message_id: str
    from_end: int


def show_message(database: Database, *, conversation_id: str, user_id: str, message_id: str) -> Landing:
    """Put a branch that holds the message on show and say where it is on it.

    The branch on show stays where it holds the message. Raises NotFound when the message or the conversation is gone
    or somebody else's, and TurnRefused when the branch would have to change while an answer is being written.
    """
    landing = _find(database, conversation_id, user_id, message_id)
    if landing is None:
        show_branch(database, conversation_id=conversation_id, user_id=user_id, message_id=message_id)
        landing = _find(database, conversation_id, user_id, message_id)
    if landing is None:
        raise NotFound("That message is no longer here.", next_step="The rest of the conversation is shown.")
    return landing


def _find(database: Database, conversation_id: str, user_id: str, message_id: str) -> Landing | None:
    conversation = load_conversation(database, conversation_id=conversation_id, user_id=user_id)
    messages = load_messages(database, conversation=conversation, figures=False)
    path = branch(by_id(messages), leaf_id=conversation.leaf_message_id)
    places = {message.id: place for place, message in enumerate(path)}
    if message_id not in places:
        return None
    # The parts of an answer that was continued are read as one message, which has the id of the first.
    read = [message.id for message in as_read(path)]
    shown = [name for name in read if places[name] <= places[message_id]]
    return Landing(message_id=shown[-1], from_end=len(read) - len(shown) + 1)
