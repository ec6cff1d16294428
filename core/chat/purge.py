"""What was deleted goes for good once the time to bring it back is over.

With a conversation go its messages, turns, parameters, ratings, links, the texts the search reads, and the files that
no other message or link names; with a message what belongs to it alone. The ledger stays: it holds no text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.chat.attachment_care import hashes_in, remove_unnamed
from core.clock import Clock, utc_now
from core.store.database import Cursor, Database
from core.store.files import FileStore
from core.store.sql import load_queries

log = logging.getLogger(__name__)

_SQL = load_queries("purge")
# What is deleted can be brought back for so many days.
KEPT_DAYS = 30
_EVERY_S = 3600.0
# Short transactions: whoever sends a message meanwhile waits for one of them at most.
_AT_ONCE = 200
_OF_CONVERSATIONS = (
    "conversations_feedback",
    "conversations_branch_leaves",
    "conversations_messages",
    "conversations_search_texts",
    "conversations_search_state",
    "conversations_turns",
    "conversations_parameters",
    "conversations_shares",
    "conversations_columns",
    "conversations_summaries",
    "conversations_rows",
)
_OF_MESSAGES = (
    "messages_feedback",
    "messages_branch_leaves",
    "messages_search_texts",
    "messages_summaries",
    "messages_rows",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """How much went for good. `messages` are those deleted on their own, not with their conversation."""

    conversations: int
    messages: int
    files: int


def purge(database: Database, files: FileStore, *, clock: Clock = utc_now) -> Purged:
    """Remove for good what was deleted more than 30 days ago (`KEPT_DAYS`), whoever it belongs to."""
    before = clock() - timedelta(days=KEPT_DAYS)
    conversations = [*_rounds(database, partial(_remove_conversations, before=before))]
    messages = [*_rounds(database, partial(_remove_messages, before=before))]
    database.execute(_SQL["comparisons_rows"], before=before)
    named = frozenset(name for removed in (*conversations, *messages) for name in removed.hashes)
    return Purged(
        conversations=sum(removed.count for removed in conversations),
        messages=sum(removed.count for removed in messages),
        files=remove_unnamed(database, files, named) if named else 0,
    )


async def purge_regularly(
    database: Database, files: FileStore, *, every_s: float = _EVERY_S, turn: Callable[[], bool] = lambda: True
) -> None:
    """Purge now and every hour until cancelled, when it is this process's `turn`."""
    while True:
        try:
            if turn():
                await asyncio.to_thread(purge, database, files)
        except Exception:
            # The next round tries again; nobody waits for it.
            log.warning("what was deleted could not be removed for good", exc_info=True)
        await asyncio.sleep(every_s)


@dataclass(frozen=True, slots=True)
class _Removed:
    """How many went in one transaction, and the hashes of the files they named."""

    count: int
    hashes: frozenset[str]


def _rounds(database: Database, remove: Callable[[Cursor], _Removed]) -> Iterator[_Removed]:
    while (removed := database.transaction(remove)).count:
        yield removed


def _remove_conversations(cur: Cursor, *, before: datetime) -> _Removed:
    ids = [row["id"] for row in cur.fetch_all(_SQL["removed_conversations"], before=before, limit=_AT_ONCE)]
    hashes = _hashes(cur, "files_of_conversations", ids)
    for statement in _OF_CONVERSATIONS if ids else ():
        cur.execute(_SQL[statement], ids=ids)
    return _Removed(len(ids), hashes)


def _remove_messages(cur: Cursor, *, before: datetime) -> _Removed:
    rows = cur.fetch_all(_SQL["removed_messages"], before=before, limit=_AT_ONCE)
    ids, turns = [row["id"] for row in rows], [row["turn_id"] for row in rows if row["turn_id"]]
    hashes = _hashes(cur, "files_of_messages", ids)
    for statement in _OF_MESSAGES if ids else ():
        cur.execute(_SQL[statement], ids=ids)
    if turns:
        cur.execute(_SQL["messages_turns"], turn_ids=turns)
    return _Removed(len(ids), hashes)


def _hashes(cur: Cursor, statement: str, ids: Sequence[str]) -> frozenset[str]:
    rows = cur.fetch_all(_SQL[statement], ids=ids) if ids else []
    return frozenset(name for row in rows for name in hashes_in(row["attachments"]))
