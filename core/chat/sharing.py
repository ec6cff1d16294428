"""Read-only links to a conversation as it was when it was shared, for everybody who is signed in.

What is shared is the branch on show: no other branches, no system prompt, no costs, no technical details of errors, and
attached files only where their owner says so. What is written later does not appear in it. Revoking deletes the text
with the link; deleting the conversation hides it until that is undone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.accounts.audit import record
from core.chat.attachment_rows import FILES_BY_MESSAGE, from_json
from core.chat.attachment_rows import to_json as attachments_to_json
from core.chat.conversation import Message, branch, by_id
from core.chat.exchange import Parcel, from_document, to_document
from core.chat.export import load_parcel, to_json
from core.chat.import_write import own_id, write_parcels
from core.clock import Clock, utc_now
from core.errors import DamagedEntry, NotFound, SwitchboardError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("sharing")
# 256 bits: nobody guesses one.
_ID_BYTES = 32
# The audit names a link by its beginning: whoever reads it there must not be able to open it.
_ID_ON_RECORD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One link of a person that works."""

    id: str
    conversation_id: str
    title: str
    message_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedConversation:
    """What a link shows. `owner_name` is None for somebody who is gone; `own`: the viewer shared it."""

    id: str
    title: str
    owner_name: str | None
    own: bool
    created_at: datetime
    messages: Sequence[Message]


def count_files(database: Database, *, user_id: str, conversation_id: str) -> int:
    """How many files are attached on the branch on show. Raises NotFound."""
    parcel = load_parcel(database, user_id=user_id, conversation_id=conversation_id)
    return sum(len(message.attachments) for message in _on_show(parcel))


def share_conversation(
    database: Database, *, user_id: str, conversation_id: str, with_files: bool = False, clock: Clock = utc_now
) -> str:
    """Make a link to the branch on show of one's own conversation and return its id. Leaves an audit row.

    `with_files` shows the attached files as well. Raises NotFound for a conversation that is not this person's,
    SwitchboardError for one without messages.
    """
    parcel = _frozen(load_parcel(database, user_id=user_id, conversation_id=conversation_id), with_files=with_files)
    share_id, now = secrets.token_urlsafe(_ID_BYTES), clock()

    def work(cur: Cursor) -> None:
        cur.execute(
            _SQL["insert_share"],
            id=share_id,
            user_id=user_id,
            conversation_id=conversation_id,
            title=parcel.title,
            snapshot=to_json({**to_document(parcel), FILES_BY_MESSAGE: _files(parcel)}).decode(),
            message_count=len(parcel.messages),
            now=now,
        )
        named = _on_record(share_id)
        record(cur, actor_id=user_id, action="share.create", subject=conversation_id, after=named, clock=clock)

    database.transaction(work)
    return share_id


def list_shares(database: Database, *, user_id: str) -> list[Share]:
    """A person's links that work, newest first."""
    return [Share(**row) for row in database.fetch_all(_SQL["list_shares"], user_id=user_id)]


def revoke_share(database: Database, *, user_id: str, share_id: str, clock: Clock = utc_now) -> None:
    """End a link and delete what it showed. Leaves an audit row. Raises NotFound for one that is not this person's."""

    def work(cur: Cursor) -> None:
        found = cur.fetch_one(_SQL["load_own_share"], id=share_id, user_id=user_id)
        if found is None:
            raise _not_found()
        cur.execute(_SQL["revoke_share"], id=share_id, user_id=user_id, now=clock())
        subject, named = found["conversation_id"], _on_record(share_id)
        record(cur, actor_id=user_id, action="share.revoke", subject=subject, before=named, clock=clock)

    database.transaction(work)


def load_share(database: Database, *, share_id: str, viewer_id: str) -> SharedConversation:
    """What a link shows to somebody who is signed in.

    Raises NotFound for one that was revoked, never existed or whose conversation is deleted: they all look the same.
    """
    row = database.fetch_one(_SQL["load_share"], id=share_id)
    if row is None:
        raise _not_found()
    return SharedConversation(
        id=row["id"],
        title=row["title"],
        owner_name=row["owner_name"],
        own=row["user_id"] == viewer_id,
        created_at=row["created_at"],
        messages=_read(row["snapshot"]).messages,
    )


def copy_share(database: Database, *, share_id: str, viewer_id: str, clock: Clock = utc_now) -> str:
    """Put a conversation that was shared among the viewer's own and return its id there. A second time adds nothing.

    Raises NotFound as `load_share` does.
    """
    row = database.fetch_one(_SQL["load_share"], id=share_id)
    if row is None:
        raise _not_found()
    now = clock()
    parcel = replace(_read(row["snapshot"]), source="share", id=share_id, created_at=now, updated_at=now)
    write_parcels(database, [parcel], user_id=viewer_id, clock=clock)
    return own_id(parcel.source, parcel.id, user_id=viewer_id)


def _on_show(parcel: Parcel) -> list[Message]:
    return branch(by_id(parcel.messages), leaf_id=parcel.leaf_message_id)


def _frozen(parcel: Parcel, *, with_files: bool) -> Parcel:
    shown = _on_show(parcel)
    if not shown:
        raise SwitchboardError("There is nothing to share yet.", next_step="Send a message first.")
    kept = tuple(
        replace(message, error_detail=None, attachments=message.attachments if with_files else ()) for message in shown
    )
    return replace(parcel, messages=kept, parameters={}, tags="", pinned_at=None, archived_at=None, model_id=None)


def _read(snapshot: str) -> Parcel:
    document = json.loads(snapshot)
    try:
        parcel = from_document(document)
    except DamagedEntry as error:
        raise _not_found() from error
    files = {name: from_json(rows) for name, rows in document.get(FILES_BY_MESSAGE, {}).items()}
    messages = (replace(message, attachments=files.get(message.id, ())) for message in parcel.messages)
    return replace(parcel, messages=tuple(messages))


def _files(parcel: Parcel) -> dict[str, str | None]:
    """What is known of the files by their message. The bytes stay where they are: the conversation names them too."""
    return {message.id: attachments_to_json(message.attachments) for message in parcel.messages if message.attachments}


def _on_record(share_id: str) -> dict[str, str]:
    return {"link": f"{share_id[:_ID_ON_RECORD]}…"}


def _not_found() -> NotFound:
    return NotFound(
        "This shared conversation was not found.", next_step="It may have been revoked. Ask whoever sent you the link."
    )
