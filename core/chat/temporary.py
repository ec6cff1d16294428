"""A chat that is not stored: its messages are in the memory of one session and nowhere else.

What the store holds of it are its turns without a word, and the ledger's rows: what was spent was spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.chat.admission import question_on
from core.chat.conversation import Message
from core.chat.live_turn import LiveTurn
from core.chat.store import with_figures
from core.errors import NotFound, TurnRefused
from core.ids import new_id
from core.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryChat:
    """What is known of a temporary chat. `messages` are its only branch; `live` is being answered or has just been.

    `removed` are those that were deleted last, to bring back while nothing else is said.
    """

    id: str
    user_id: str
    messages: Sequence[Message] = ()
    live: LiveTurn | None = None
    removed: Sequence[Message] = ()


def begin(user_id: str) -> TemporaryChat:
    """An empty one."""
    return TemporaryChat(id=new_id(), user_id=user_id)


def follow(chat: TemporaryChat, live: LiveTurn) -> TemporaryChat:
    """The chat while a turn of it is answered: with the new question, and without what the turn replaces."""
    request, before = live.request, list(chat.messages)
    if request.edits is not None:
        before = question_on(before, message_id=request.edits)[:-1]
    if request.answer_again is not None:
        before = question_on(before, message_id=request.answer_again)
    elif request.continues is None:
        before.append(live.history[-1])
    return replace(chat, messages=tuple(before), live=live, removed=())


def settle(chat: TemporaryChat, database: Database) -> TemporaryChat:
    """The chat with the answer of its turn, if that has ended, and what it took; else the chat as it is."""
    live = chat.live
    if live is None or not live.buffer.wait_until_ended(timeout_s=0):
        return chat
    if live.result is None:
        return replace(chat, live=None)
    answered = with_figures(database, [live.result], conversation_id=chat.id)
    return replace(chat, messages=(*chat.messages, *answered), live=None)


def without(chat: TemporaryChat, message_id: str) -> TemporaryChat:
    """The chat without a message and what follows it; `bring_back` undoes it.

    Raises TurnRefused while an answer is being written, NotFound.
    """
    if chat.live is not None:
        raise TurnRefused("busy", "An answer is still being written.", next_step="Wait for it or stop it first.")
    ids = [message.id for message in chat.messages]
    if message_id not in ids:
        raise NotFound("That message is no longer here.", next_step="Reload the page to see what is.")
    at = ids.index(message_id)
    return replace(chat, messages=chat.messages[:at], removed=chat.messages[at:])


def bring_back(chat: TemporaryChat) -> TemporaryChat:
    """The chat with what was deleted last."""
    return replace(chat, messages=(*chat.messages, *chat.removed), removed=())
