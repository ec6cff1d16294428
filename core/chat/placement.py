"""Where in a conversation a turn goes: its ids, its question and the history before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.chat.admission import TurnRequest, check_text, question_on
from core.chat.continuation import GO_ON, as_read, unfinished
from core.chat.conversation import FallbackChoice, Message, branch, by_id
from core.chat.store import load_conversation, load_to_continue
from core.chat.turn_record import TurnIds
from core.errors import TurnRefused
from core.ids import new_id
from core.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A turn's place. `history` ends with what is to be answered.

    `question` is None when nothing new is stored before the answer: a stored one is answered again, or an answer goes
    on. `fallback` is what to do when the model fails: the request's choice, else the conversation's. `tools`: models
    may call them here.
    """

    ids: TurnIds
    question: Message | None
    history: Sequence[Message]
    fallback: FallbackChoice
    tools: bool = False


def place_turn(database: Database, request: TurnRequest, *, conversation_id: str, now: datetime) -> Placement:
    """Find the place of a turn.

    Raises NotFound for a conversation that is not this user's, TurnRefused for an empty or too long text, or for an
    `answer_again`, `edits` or `continues` that is no such message on the branch.
    """
    if request.temporary is not None and request.attachments:
        raise TurnRefused(
            "temporary",
            "Files are stored, so they cannot be sent in a temporary chat.",
            next_step="Take them away, or start an ordinary chat.",
        )
    path, kept, tools = _branch(database, request)
    place = _place(path, request, conversation_id=conversation_id, fallback=request.fallback or kept, now=now)
    place = replace(place, tools=request.tools and tools)
    return replace(place, history=[*as_read(request.before), *place.history]) if request.before else place


def _place(
    path: list[Message], request: TurnRequest, *, conversation_id: str, fallback: FallbackChoice, now: datetime
) -> Placement:
    if request.continues is not None:
        return _going_on(path, request.continues, fallback=fallback, now=now)
    if request.answer_again is not None:
        history = question_on(path, message_id=request.answer_again)
        ids = _ids(new_id(), history[-1])
        return Placement(ids=ids, question=None, history=as_read(history), fallback=fallback)
    attachments = request.attachments
    if request.edits is not None:
        *path, edited = question_on(path, message_id=request.edits)
        attachments = (*edited.attachments, *attachments)
    parent_id = path[-1].id if path else None
    text = check_text(request.text, with_files=bool(attachments) or request.call is not None)
    question = replace(_said(text, conversation_id, parent_id=parent_id, now=now), attachments=attachments)
    ids = _ids(question.turn_id, question)
    return Placement(ids=ids, question=question, history=[*as_read(path), question], fallback=fallback)


def _said(text: str, conversation_id: str, *, parent_id: str | None, now: datetime) -> Message:
    return Message(
        id=new_id(),
        conversation_id=conversation_id,
        parent_id=parent_id,
        turn_id=new_id(),
        role="user",
        content=text,
        status="complete",
        created_at=now,
    )


def _going_on(path: Sequence[Message], message_id: str, *, fallback: FallbackChoice, now: datetime) -> Placement:
    """The place of the next part of the last answer: under its last part. The request to go on is never stored."""
    history = as_read(path)
    if not history or history[-1].id != message_id or not unfinished(history[-1]):
        raise TurnRefused(
            "unknown_message", "There is nothing to go on with.", next_step="Reload the page and try again."
        )
    ids = _ids(new_id(), path[-1])
    go_on = _said(GO_ON, path[-1].conversation_id, parent_id=path[-1].id, now=now)
    return Placement(ids=ids, question=None, history=[*history, go_on], fallback=fallback)


def _ids(turn_id: str, question: Message) -> TurnIds:
    return TurnIds(turn=turn_id, conversation=question.conversation_id, question=question.id, answer=new_id())


def _branch(database: Database, request: TurnRequest) -> tuple[list[Message], FallbackChoice, bool]:
    if request.temporary is not None:
        return list(request.temporary), "automatic", True
    if request.conversation_id is None:
        return [], "automatic", True
    conversation = load_conversation(database, conversation_id=request.conversation_id, user_id=request.user_id)
    messages = load_to_continue(database, conversation=conversation)
    path = branch(by_id(messages), leaf_id=conversation.leaf_message_id)
    return path, conversation.fallback, conversation.tools
