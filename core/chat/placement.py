"""Where in a conversation a turn goes: its ids, its question and the history before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.chat.admission import TurnRequest, check_text, question_on
from core.chat.conversation import FallbackChoice, Message, branch, by_id
from core.chat.store import load_conversation, load_messages
from core.chat.turn_record import TurnIds
from core.ids import new_id
from core.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A turn's place. `question` is None when a stored one is answered again; `history` ends with the question.

    `fallback` is what to do when the model fails: the request's choice, else the conversation's.
    """

    ids: TurnIds
    question: Message | None
    history: Sequence[Message]
    fallback: FallbackChoice


def place_turn(database: Database, request: TurnRequest, *, conversation_id: str, now: datetime) -> Placement:
    """Find the place of a turn.

    Raises NotFound for a conversation that is not this user's, TurnRefused for an empty or too long text, or for an
    `answer_again` that is no question on the branch.
    """
    path, kept = _branch(database, request)
    fallback = request.fallback or kept
    if request.answer_again is not None:
        history = question_on(path, message_id=request.answer_again)
        return Placement(ids=_ids(new_id(), history[-1]), question=None, history=history, fallback=fallback)
    turn_id = new_id()
    question = Message(
        id=new_id(),
        conversation_id=conversation_id,
        parent_id=path[-1].id if path else None,
        turn_id=turn_id,
        role="user",
        content=check_text(request.text),
        status="complete",
        created_at=now,
    )
    return Placement(ids=_ids(turn_id, question), question=question, history=[*path, question], fallback=fallback)


def _ids(turn_id: str, question: Message) -> TurnIds:
    return TurnIds(turn=turn_id, conversation=question.conversation_id, question=question.id, answer=new_id())


def _branch(database: Database, request: TurnRequest) -> tuple[list[Message], FallbackChoice]:
    if request.conversation_id is None:
        return [], "automatic"
    conversation = load_conversation(database, conversation_id=request.conversation_id, user_id=request.user_id)
    messages = load_messages(database, conversation=conversation, figures=False)
    return branch(by_id(messages), leaf_id=conversation.leaf_message_id), conversation.fallback
