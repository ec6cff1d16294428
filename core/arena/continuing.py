"""Continuing a comparison with one of its columns: as a branch of the chat it came from, or as a new chat.

The messages are copied: the comparison stays as it is. They keep their turns, so figures and receipts are found in the
ledger and counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.arena.comparison import Column, Comparison
from core.arena.said import stored_in
from core.chat.branches import show_branch_in
from core.chat.conversation import Message
from core.chat.kept_parameters import keep_for_conversation
from core.chat.store import insert_conversation, insert_message
from core.clock import Clock, utc_now
from core.errors import NotFound, TurnRefused
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("comparisons")
_CHATS = load_queries("conversations")


def continue_with(database: Database, comparison: Comparison, column: Column, *, clock: Clock = utc_now) -> str:
    """Go on in the chat with what a column holds; the id of the chat, with these messages on show.

    A second time the same messages are shown again and nothing is added. Raises TurnRefused while the column or the
    chat is being answered, or for a column without an answer.
    """
    messages = _to_copy(database, comparison, column)
    into = comparison.origin.conversation_id if comparison.origin else None

    def work(cur: Cursor) -> tuple[str, bool]:
        if known := _shown_again(cur, column, messages[-1], user_id=comparison.user_id):
            return known, False
        there = into if into and _exists(cur, into, user_id=comparison.user_id) else None
        chat_id = there or _new_chat(cur, comparison, column, messages, clock=clock)
        parent_id = comparison.origin.message_id if there and comparison.origin else None
        copies = _copies(messages, chat_id, parent_id=parent_id)
        for copy in copies:
            insert_message(cur, copy, show=there is None)
        if there:
            _show_branch(cur, copies, user_id=comparison.user_id, now=clock())
        cur.execute(_CHATS["set_model"], id=chat_id, user_id=comparison.user_id, model_id=column.model_id)
        cur.execute(
            _SQL["insert_continuation"],
            id=new_id(),
            user_id=comparison.user_id,
            conversation_id=chat_id,
            column_id=column.id,
            last_message_id=messages[-1].id,
            first_copy_id=copies[0].id,
            now=clock(),
        )
        return chat_id, there is None

    chat_id, made = database.transaction(work)
    if made and column.parameters and column.kind == "answer":
        keep_for_conversation(
            database, user_id=comparison.user_id, conversation_id=chat_id, values=column.parameters, clock=clock
        )
    return chat_id


def _to_copy(database: Database, comparison: Comparison, column: Column) -> list[Message]:
    messages = stored_in(database, comparison, [column])[column.id]
    if not messages or messages[-1].role != "assistant" or not messages[-1].content:
        raise TurnRefused(
            "unknown_message",
            "There is no answer to continue with yet.",
            next_step="Wait for its end, or try it again.",
        )
    if column.kind == "answer":
        return messages
    # A merged answer answers what the others were asked, not the prompt that made it.
    for asked in stored_in(database, comparison, comparison.answers).values():
        questions = [message for message in asked if message.role == "user"]
        if questions:
            return [questions[-1], messages[-1]]
    return messages


def _shown_again(cur: Cursor, column: Column, last: Message, *, user_id: str) -> str | None:
    """The chat that has these very messages already, with them on show."""
    rows = cur.fetch_all(_SQL["find_continuation"], column_id=column.id, last_message_id=last.id, user_id=user_id)
    for row in rows:
        try:
            show_branch_in(
                cur, conversation_id=row["conversation_id"], user_id=user_id, message_id=row["first_copy_id"]
            )
        except NotFound:
            continue
        return str(row["conversation_id"])
    return None


def _show_branch(cur: Cursor, copies: Sequence[Message], *, user_id: str, now: datetime) -> None:
    chat_id = copies[0].conversation_id
    show_branch_in(cur, conversation_id=chat_id, user_id=user_id, message_id=copies[0].id)
    cur.execute(_CHATS["touch_conversation"], id=chat_id, leaf_message_id=copies[-1].id, now=now)


def _exists(cur: Cursor, conversation_id: str, *, user_id: str) -> bool:
    return cur.fetch_one(_CHATS["load_conversation"], id=conversation_id, user_id=user_id) is not None


def _new_chat(cur: Cursor, comparison: Comparison, column: Column, messages: Sequence[Message], *, clock: Clock) -> str:
    chat_id = new_id()
    insert_conversation(
        cur,
        conversation_id=chat_id,
        user_id=comparison.user_id,
        first_text=messages[0].content or comparison.title,
        model_id=column.model_id,
        use_case=comparison.use_case,
        now=clock(),
    )
    return chat_id


def _copies(messages: Sequence[Message], chat_id: str, *, parent_id: str | None) -> list[Message]:
    copies: list[Message] = []
    for message in messages:
        above = copies[-1].id if copies else parent_id
        copies.append(replace(message, id=new_id(), conversation_id=chat_id, parent_id=above))
    return copies
