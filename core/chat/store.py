"""Conversations in the store. Every read and write names the user: another person's conversation does not exist."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial

from core.chat.attachment_rows import from_json, to_json
from core.chat.conversation import AnswerFigures, Conversation, FallbackChoice, Message, Receipt, title_from
from core.chat.kept_steps import from_json as steps_from_json
from core.chat.kept_steps import to_json as steps_to_json
from core.chat.plain_text import own_title
from core.chat.receipt import receipts_of
from core.clock import Clock, utc_now
from core.errors import NotFound
from core.store.database import Cursor, Database, Row
from core.store.kept import KeptReads
from core.store.sql import load_queries

_SQL = load_queries("conversations")
_LISTS: KeptReads[list[Conversation]] = KeptReads(most=300, tables=("conversations",), may_lag=True)
_OPENED: KeptReads[Conversation] = KeptReads(most=300, tables=("conversations",), may_lag=True)
_READ_WITH_FIGURES = ("messages", "attempt_rows", "adjustments", "comparison_continuations")
# Of a thousand messages each at worst, some megabytes.
_MESSAGES: KeptReads[Sequence[Message]] = KeptReads(most=50, tables=_READ_WITH_FIGURES, may_lag=True)
# What a message has and its row has not.
_ELSEWHERE = frozenset({"figures", "receipt"})


def load_conversation(database: Database, *, conversation_id: str, user_id: str) -> Conversation:
    """One conversation of this user.

    Raises NotFound when it does not exist, is deleted or belongs to somebody else: the three look the same.
    """
    row = database.fetch_one(_SQL["load_conversation"], id=conversation_id, user_id=user_id)
    if row is None:
        raise NotFound(
            "This conversation was not found.", next_step="Open another one from the list or start a new chat."
        )
    return Conversation(**row)


def list_conversations(database: Database, *, user_id: str, limit: int) -> list[Conversation]:
    """The user's conversations but for the archived ones: pinned ones first, then by their last use, newest first."""
    read = partial(database.fetch_all, _SQL["list_conversations"], user_id=user_id, limit=limit)
    return list(_LISTS.read(database, (user_id, limit), lambda: [Conversation(**row) for row in read()]))


def load_opened(database: Database, *, conversation_id: str, user_id: str) -> tuple[Conversation, Sequence[Message]]:
    """A conversation of this user and its messages with their figures, as a page shows them at every click.

    Raises NotFound. They are kept until one is written to: for what is stored next, ask `load_conversation`.
    """
    load = partial(load_conversation, database, conversation_id=conversation_id, user_id=user_id)
    conversation = _OPENED.read(database, (user_id, conversation_id), load)
    read = partial(load_messages, database, conversation=conversation)
    messages = _MESSAGES.read(database, conversation_id, read)
    return conversation, messages if _are_of(messages, conversation) else read()


def load_messages(database: Database, *, conversation: Conversation, figures: bool = True) -> list[Message]:
    """All messages of a conversation in the order they were made; `figures` adds every answer's, and its receipt."""
    with database.cursor() as cur:
        messages = messages_of(cur, conversation.id)
        return _with_figures(cur, messages, conversation.id) if figures else messages


def load_to_continue(database: Database, *, conversation: Conversation) -> list[Message]:
    """All messages of a conversation that has just been read, without figures, for what is stored behind them.

    Those that a page has read are taken as long as no message was written. Of what another process writes this one
    learns a moment later: on a shared store they are always read.
    """
    kept = None if database.is_shared else _MESSAGES.find(database, conversation.id)
    if kept is None or not _are_of(kept, conversation):
        return load_messages(database, conversation=conversation, figures=False)
    return [replace(message, figures=None, receipt=None) for message in kept]


def _are_of(messages: Sequence[Message], conversation: Conversation) -> bool:
    """Whether messages are as new as their conversation.

    Kept ones may be older for a moment: a write can be read a little before whoever wrote it lets go what was kept.
    """
    leaf_id = conversation.leaf_message_id
    return leaf_id is None or any(message.id == leaf_id for message in reversed(messages))


def load_several(database: Database, conversation_ids: Collection[str]) -> dict[str, list[Message]]:
    """All messages of several conversations with their figures: for callers that know whose they are.

    In as many queries as one conversation takes: eight columns of a comparison are read before they are drawn.
    """
    found: dict[str, list[Message]] = {conversation_id: [] for conversation_id in conversation_ids}
    with database.cursor() as cur:
        for message in map(message_from, cur.fetch_all(_several("conversations", "load_messages"), ids=list(found))):
            found[message.conversation_id].append(message)
        answered = [name for name, messages in found.items() if any(one.role == "assistant" for one in messages)]
        if not answered:
            return found
        rows = cur.fetch_all(_several("ledger", "figures_of_conversation"), ids=answered)
        by_turn = {row["turn_id"]: _figures(row) for row in rows}
        receipts: dict[str, Receipt] = {}
        if any(row["detour"] for row in rows):
            for conversation_id in answered:
                receipts |= receipts_of(cur, conversation_id)
    return {name: _figured(messages, by_turn, receipts) for name, messages in found.items()}


@cache
def _several(topic: str, name: str) -> str:
    one, several = "conversation_id = $conversation_id", "conversation_id in (select unnest($ids))"
    return load_queries(topic)[name].replace(one, several)


def with_figures(database: Database, messages: Sequence[Message], *, conversation_id: str) -> list[Message]:
    """Messages with what each answer took, by the ledger, and its receipt."""
    with database.cursor() as cur:
        return _with_figures(cur, messages, conversation_id)


def _with_figures(cur: Cursor, messages: Sequence[Message], conversation_id: str) -> list[Message]:
    by_turn, receipts = _figures_by_turn(cur, conversation_id)
    if any(message.role == "assistant" and message.turn_id not in by_turn for message in messages):
        # Answers that came from a comparison keep their turns, and these belong to the column they were given in.
        for row in cur.fetch_all(load_queries("comparisons")["columns_continued_in"], conversation_id=conversation_id):
            figures, more = _figures_by_turn(cur, row["column_id"])
            by_turn, receipts = figures | by_turn, more | receipts
    return _figured(messages, by_turn, receipts)


def _figured(
    messages: Sequence[Message], by_turn: Mapping[str, AnswerFigures], receipts: Mapping[str, Receipt]
) -> list[Message]:
    return [
        replace(message, figures=by_turn[message.turn_id], receipt=receipts.get(message.turn_id))
        if message.role == "assistant" and message.turn_id in by_turn
        else message
        for message in messages
    ]


def messages_of(cur: Cursor, conversation_id: str) -> list[Message]:
    """The messages of a conversation without figures, whoever it belongs to: for callers that have checked that."""
    rows = cur.fetch_all(_SQL["load_messages"], conversation_id=conversation_id)
    return [message_from(row) for row in rows]


def message_from(row: Row) -> Message:
    """A message from its row, without figures."""
    return Message(**{**row, "attachments": from_json(row["attachments"]), "steps": steps_from_json(row["steps"])})


def rename_conversation(database: Database, *, conversation_id: str, user_id: str, title: str) -> None:
    """Give a conversation a title of the user's own.

    Raises SwitchboardError for an empty title; a long one is cut at 200 characters.
    """
    database.execute(_SQL["rename_conversation"], id=conversation_id, user_id=user_id, title=own_title(title))


def set_model(database: Database, *, conversation_id: str, user_id: str, model_id: str) -> None:
    """Keep which model the next message of a conversation goes to."""
    database.execute(_SQL["set_model"], id=conversation_id, user_id=user_id, model_id=model_id)


def set_fallback(database: Database, *, conversation_id: str, user_id: str, fallback: FallbackChoice) -> None:
    """Keep what happens in a conversation when its model fails."""
    database.execute(_SQL["set_fallback"], id=conversation_id, user_id=user_id, fallback=fallback)


def set_tools(database: Database, *, conversation_id: str, user_id: str, tools: bool) -> None:
    """Keep whether models may call tools in a conversation."""
    database.execute(_SQL["set_tools"], id=conversation_id, user_id=user_id, tools=tools)


def set_use_case(database: Database, *, conversation_id: str, user_id: str, use_case: str) -> None:
    """Keep what a conversation is for; empty: for nothing in particular."""
    database.execute(_SQL["set_use_case"], id=conversation_id, user_id=user_id, use_case=use_case)


def delete_conversation(database: Database, *, conversation_id: str, user_id: str, clock: Clock = utc_now) -> None:
    """Take a conversation out of sight. `core.chat.organise.restore_conversations` undoes it."""
    database.execute(_SQL["delete_conversation"], id=conversation_id, user_id=user_id, now=clock())


def insert_conversation(
    cur: Cursor,
    *,
    conversation_id: str,
    user_id: str,
    first_text: str,
    model_id: str,
    now: datetime,
    leaf_message_id: str | None = None,
    comparison_id: str | None = None,
    use_case: str | None = None,
) -> None:
    """Make a conversation titled with the first words of its first message, within the caller's transaction.

    `comparison_id` makes it a column of a comparison, which is in no list of chats.
    """
    cur.execute(
        _SQL["insert_conversation"],
        id=conversation_id,
        user_id=user_id,
        title=title_from(first_text),
        model_id=model_id,
        leaf_message_id=leaf_message_id,
        comparison_id=comparison_id,
        use_case=use_case,
        now=now,
    )


def insert_message(cur: Cursor, message: Message, *, show: bool = True) -> None:
    """Add a message to the tree and put it at the end of the branch on show, within the caller's transaction.

    `show=False` leaves the conversation's row alone, for one that names the message already.
    """
    fields = {name: getattr(message, name) for name in Message.__slots__ if name not in _ELSEWHERE}
    as_text = {"attachments": to_json(message.attachments), "steps": steps_to_json(message.steps)}
    cur.execute(_SQL["insert_message"], **{**fields, **as_text})
    if show:
        cur.execute(
            _SQL["touch_conversation"],
            id=message.conversation_id,
            leaf_message_id=message.id,
            now=message.created_at,
        )


def _figures_by_turn(cur: Cursor, conversation_id: str) -> tuple[dict[str, AnswerFigures], dict[str, Receipt]]:
    rows = cur.fetch_all(_figures_sql(cur), conversation_id=conversation_id)
    # Detours are rare: most conversations need no second look at the ledger.
    receipts = receipts_of(cur, conversation_id) if any(row["detour"] for row in rows) else {}
    return {row["turn_id"]: _figures(row) for row in rows}, receipts


def _figures_sql(cur: Cursor) -> str:
    # Planning the view takes longer than the whole query (4 ms, measured), and hardly a store has corrections.
    queries = load_queries("ledger")
    sql = queries["figures_of_conversation"]
    return sql.replace("from attempts", "from ledger") if cur.fetch_one(queries["any_correction"]) else sql


def _figures(row: Row) -> AnswerFigures:
    first, started, ended = row["first_token_at"], row["started_at"], row["ended_at"]
    writing_s = (ended - first).total_seconds() if first else 0.0
    return AnswerFigures(
        input_tokens=row["input_tokens"],
        cached_input_tokens=row["cached_input_tokens"],
        output_tokens=row["output_tokens"],
        reasoning_tokens=row["reasoning_tokens"],
        cost_usd=row["cost_usd"],
        cost_code=row["cost_code"],
        cache_saved_usd=row["cache_saved_usd"],
        first_token_ms=(first - started).total_seconds() * 1000 if first else None,
        duration_ms=(ended - started).total_seconds() * 1000,
        tokens_per_second=row["last_output_tokens"] / writing_s if writing_s > 0 else None,
    )
