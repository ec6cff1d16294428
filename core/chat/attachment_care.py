"""Attached files beside their messages: handed out with a person's data, deleted when no message or link names them."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any

from core.chat.attachment_rows import FILES_BY_MESSAGE, as_rows, from_json
from core.chat.conversation import Attachment
from core.store.database import Database
from core.store.files import FileStore
from core.store.sql import load_queries

log = logging.getLogger(__name__)

_SQL = load_queries("attachments")
# A file may wait so long for the message it was chosen for.
_UNSENT_S = 24 * 3600.0
_SWEEP_EVERY_S = 6 * 3600.0


def export_attachments(
    database: Database, files: FileStore, *, user_id: str, message_ids: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Every file of a person with the message it belongs to and its bytes in Base64; null for bytes that are gone.

    `message_ids` are the messages whose files are wanted, if not all are.
    """
    return [
        {
            "conversation_id": row["conversation_id"],
            "message_id": row["message_id"],
            **known,
            "content_base64": _base64(files, attached),
        }
        for row in database.fetch_all(_SQL["attachments_of_user"], user_id=user_id)
        if message_ids is None or row["message_id"] in message_ids
        for attached in from_json(row["attachments"])
        for known in as_rows([attached])
    ]


def hashes_of_user(database: Database, *, user_id: str) -> frozenset[str]:
    """What a person's messages name, before they are deleted."""
    rows = database.fetch_all(_SQL["attachments_of_user"], user_id=user_id)
    return frozenset(name for row in rows for name in hashes_in(row["attachments"]))


def remove_unnamed(database: Database, files: FileStore, hashes: frozenset[str]) -> int:
    """Delete those of these files that no message names. Returns how many."""
    unnamed = hashes - _named(database)
    for content_hash in unnamed:
        files.remove(content_hash)
    return len(unnamed)


def sweep(database: Database, files: FileStore) -> int:
    """Delete the files that no message names and nobody has chosen for a while. Returns how many."""
    return remove_unnamed(database, files, frozenset(files.left_since(_UNSENT_S)))


async def sweep_regularly(database: Database, files: FileStore, *, turn: Callable[[], bool] = lambda: True) -> None:
    """Sweep now and every six hours until cancelled, when it is this process's `turn`."""
    while True:
        try:
            if turn():
                await asyncio.to_thread(sweep, database, files)
        except Exception:
            # The next round tries again; nobody waits for it.
            log.warning("attached files could not be swept", exc_info=True)
        await asyncio.sleep(_SWEEP_EVERY_S)


def _named(database: Database) -> frozenset[str]:
    """What messages name, and links to conversations whose messages may be gone."""
    rows = [row["attachments"] for row in database.fetch_all(_SQL["all_attachments"])]
    for shared in database.fetch_all(_SQL["shared_snapshots"]):
        rows.extend(json.loads(shared["snapshot"]).get(FILES_BY_MESSAGE, {}).values())
    return frozenset(name for row in rows for name in hashes_in(row))


def hashes_in(text: str) -> Iterator[str]:
    """The hashes that a message's row of attachments names."""
    for attached in from_json(text):
        yield attached.content_hash
        if attached.text_hash is not None:
            yield attached.text_hash


def _base64(files: FileStore, attached: Attachment) -> str | None:
    try:
        return base64.b64encode(files.read(attached.content_hash)).decode()
    except OSError:
        return None
