"""Full-text search over one person's conversations, and the columns of their comparisons.

DuckDB's own full-text extension is a download, and nothing is downloaded while Switchboard runs. So the text of every
message is copied without case and accents into a table that a search reads from end to end, one person's part of it.
The copy follows the conversations' `updated_at`: what has changed since is taken in before a search, newest first, and
every minute in the background, so that sending a message costs nothing more.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from core.chat.conversation import Conversation
from core.chat.search_on_server import TERMS, answered_by, places_of_hits
from core.chat.search_query import MOST_TERMS, SearchQuery
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

_SQL = load_queries("search")
# How many changed conversations a search takes in before it answers, and how long it waits for the background.
_AT_ONCE = 200
_WAIT_S = 0.05
# Fewer at once: a stop waits for the transaction under way.
_IN_BACKGROUND = 50
_EVERY_S = 60.0
_ALWAYS = (datetime(1, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001 - naive UTC is the store's own form
# Two that take in the same conversations would conflict in the store, again and again where one takes long.
_indexing = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A message that was found.

    `hits_in_conversation` counts those among the newest 2,000 of the whole search; at most three are listed. In a
    column of a comparison, `comparison_id` is that, and the title and the count are its.
    """

    conversation_id: str
    comparison_id: str | None
    title: str
    archived: bool
    hits_in_conversation: int
    message_id: str
    role: Literal["user", "assistant"]
    content: str
    model_label: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FoundComparison:
    """A comparison that was found by its title."""

    id: str
    title: str
    updated_at: datetime


def find_comparisons(database: Database, *, user_id: str, query: SearchQuery, limit: int = 30) -> list[FoundComparison]:
    """This person's comparisons whose title holds every term, and that fit the rest of the query, newest first."""
    rows = database.fetch_all(_SQL["find_comparisons"], **_values(user_id, query, limit))
    return [FoundComparison(**row) for row in rows]


def find_messages(database: Database, *, user_id: str, query: SearchQuery, limit: int = 30) -> list[Hit]:
    """This person's messages that hold every term of the query, newest first; none for a query without terms.

    `model` finds answers of a model and the questions they answer. Messages on branches that are not on show are found
    like all others, deleted ones are not.
    """
    if not query.terms:
        return []
    index_changed(database, user_id=user_id, wait_s=_WAIT_S)
    values = _values(user_id, query, limit)
    return database.snapshot(lambda cur: _found(cur, values))


def find_conversations(
    database: Database, *, user_id: str, query: SearchQuery, archived: bool | None = None, limit: int = 30
) -> list[Conversation]:
    """This person's conversations whose title holds every term, and that fit the rest of the query, newest first.

    `archived` asks for archived ones only (True), for the others only (False), or for both. An empty query finds all.
    """
    values = {**_values(user_id, query, limit), "archived": archived, "answered": None}
    rows = database.snapshot(lambda cur: _conversations(cur, values))
    return [Conversation(**row) for row in rows]


def index_changed(database: Database, *, user_id: str, limit: int = _AT_ONCE, wait_s: float = -1) -> int:
    """Take in what has changed in this person's conversations; returns how many were looked at, `limit` at most.

    One at a time: where another is at it for longer than `wait_s`, this one leaves it at that. -1 waits for its turn.
    """
    if not _indexing.acquire(timeout=wait_s):
        return 0
    try:
        stale = database.fetch_all(_SQL["stale_conversations"], user_id=user_id, limit=limit)
        if stale:
            changed = [(row["id"], row["updated_at"]) for row in stale]
            database.transaction(lambda cur: _take_in(cur, user_id, changed))
        return len(stale)
    finally:
        _indexing.release()


async def index_regularly(
    database: Database, *, every_s: float = _EVERY_S, turn: Callable[[], bool] = lambda: True
) -> None:
    """Take in what has changed in anybody's conversations, now and then, in short transactions. For the background.

    `turn`: whether it is this process's turn; of several replicas one does it.
    """
    while True:
        for row in await asyncio.to_thread(database.fetch_all, _SQL["people_to_index"]) if turn() else ():
            take_in = partial(index_changed, database, user_id=row["user_id"], limit=_IN_BACKGROUND)
            while await asyncio.to_thread(take_in) == _IN_BACKGROUND:
                pass
        await asyncio.sleep(every_s)


def _found(cur: Cursor, values: Mapping[str, object]) -> list[Hit]:
    places = places_of_hits(cur, values) if cur.shared else cur.fetch_all(_SQL["find_messages"], **values)
    if not places:
        return []
    said = {
        row.pop("id"): row for row in cur.fetch_all(_SQL["found_messages"], ids=[one["message_id"] for one in places])
    }
    return [Hit(**place, **said[place["message_id"]]) for place in places if place["message_id"] in said]


def _conversations(cur: Cursor, values: Mapping[str, object]) -> list[Row]:
    if cur.shared and values["model"]:
        answered = answered_by(cur, user_id=values["user_id"], model=values["model"])
        values = {**values, "answered": answered, "model": ""}
    return cur.fetch_all(_SQL["find_conversations"], **values)


def _take_in(cur: Cursor, user_id: str, stale: Sequence[tuple[str, datetime]]) -> None:
    marked = [{"id": conversation, "user_id": user_id, "updated_at": moment} for conversation, moment in stale]
    cur.execute_many(_SQL["mark_indexed"], marked)
    cur.execute(_SQL["index_messages"], user_id=user_id, ids=[conversation for conversation, _ in stale])


def _values(user_id: str, query: SearchQuery, limit: int) -> dict[str, object]:
    padded = [*query.terms, *[""] * MOST_TERMS][:MOST_TERMS]
    return {
        "user_id": user_id,
        **dict(zip(TERMS, padded, strict=True)),
        "model": query.model,
        "tag": query.tag,
        "title": query.title,
        "after": query.after or _ALWAYS[0],
        "before": query.before or _ALWAYS[1],
        "limit": limit,
    }
