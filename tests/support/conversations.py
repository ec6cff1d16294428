"""Conversations for tests, written the way the application writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.chat.conversation import Message
from core.chat.store import insert_conversation, insert_message
from core.ids import new_id
from core.store.database import Database

NOW = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - naive UTC is the store's own form


def make_message(
    conversation_id: str,
    content: str,
    *,
    parent_id: str | None = None,
    model: str | None = None,
    now: datetime = NOW,
) -> Message:
    """A person's message, or with `model` an answer of that model (its id; the label is its upper case)."""
    return Message(
        id=new_id(),
        conversation_id=conversation_id,
        parent_id=parent_id,
        turn_id=new_id(),
        role="assistant" if model else "user",
        content=content,
        status="complete",
        created_at=now,
        requested_model=model,
        served_model=model,
        model_label=model.upper() if model else None,
    )


def make_conversation(
    database: Database,
    user_id: str,
    question: str,
    *more: str,
    model: str = "gpt",
    now: datetime = NOW,
) -> str:
    """A conversation of alternating questions and answers, a second apart, titled with its first words; its id."""
    conversation_id = new_id()
    messages = chain(conversation_id, (question, *more), model=model, now=now)

    def work(cur):
        insert_conversation(
            cur, conversation_id=conversation_id, user_id=user_id, first_text=question, model_id=model, now=now
        )
        for message in messages:
            insert_message(cur, message)

    database.transaction(work)
    return conversation_id


def chain(
    conversation_id: str, texts: Sequence[str], *, parent_id: str | None = None, model: str = "gpt", now: datetime = NOW
) -> list[Message]:
    """Messages below each other, questions and answers in turns, starting with a question."""
    messages: list[Message] = []
    for number, text in enumerate(texts):
        message = make_message(
            conversation_id,
            text,
            parent_id=messages[-1].id if messages else parent_id,
            model=model if number % 2 else None,
            now=now + timedelta(seconds=number),
        )
        messages.append(message)
    return messages
