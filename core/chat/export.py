"""Conversations as files: JSON that can be read back without loss, Markdown that people read."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.chat.attachment_care import export_attachments
from core.chat.continuation import as_read
from core.chat.conversation import Message, ToolUse, branch, by_id
from core.chat.exchange import Parcel, header, to_document
from core.chat.kept_parameters import from_json
from core.chat.store import message_from
from core.clock import Clock, utc_now
from core.errors import NotFound
from core.store.database import Database, Row
from core.store.files import FileStore
from core.store.sql import load_queries

_SQL = load_queries("exchange")
_NOT_IN_NAMES = re.compile(r"[^\w\- ]+")
_NAME_LIMIT = 60
_ENDINGS = {"stopped": "stopped", "broken": "broke off", "interrupted": "interrupted", "failed": "failed"}


def load_parcels(
    database: Database,
    *,
    user_id: str,
    conversation_id: str | None = None,
    removed: bool = False,
    compared: bool = False,
) -> list[Parcel]:
    """A person's chats with all branches, also deleted ones; or only one of them.

    `removed` adds the messages that were deleted, as long as they are kept for undo. `compared` gives the columns of
    comparisons instead of the chats.
    """
    with database.cursor() as cur:
        conversations = cur.fetch_all(_SQL["load_for_export"], user_id=user_id, id=conversation_id, compared=compared)
        rows = cur.fetch_all(_SQL["messages_for_export"], user_id=user_id, id=conversation_id)
    messages: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if removed or row["deleted_at"] is None:
            messages[row["conversation_id"]].append(row)
    return [_parcel(row, messages[row["id"]]) for row in conversations]


def load_parcel(database: Database, *, user_id: str, conversation_id: str) -> Parcel:
    """One conversation of this person. Raises NotFound for one that is deleted, not there or somebody else's."""
    found = load_parcels(database, user_id=user_id, conversation_id=conversation_id)
    if not found or found[0].deleted:
        raise NotFound("This conversation was not found.", next_step="Open another one from the list.")
    return found[0]


def export_json(
    database: Database, files: FileStore, *, user_id: str, conversation_id: str, clock: Clock = utc_now
) -> bytes:
    """One conversation with all its branches and attached files in the exchange format, UTF-8. Raises NotFound."""
    parcel = load_parcel(database, user_id=user_id, conversation_id=conversation_id)
    kept = {message.id for message in parcel.messages if message.attachments}
    attached = export_attachments(database, files, user_id=user_id, message_ids=kept)
    return to_json({**header(clock()), "conversations": [to_document(parcel)], "attachments": attached})


def export_markdown(database: Database, *, user_id: str, conversation_id: str) -> bytes:
    """The branch on show of one conversation as Markdown, UTF-8. Raises NotFound."""
    return to_markdown(load_parcel(database, user_id=user_id, conversation_id=conversation_id)).encode()


def export_all_markdown(database: Database, *, user_id: str) -> bytes:
    """A zip file with a Markdown file for every conversation that is not deleted."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for parcel in load_parcels(database, user_id=user_id):
            if not parcel.deleted:
                # The end of the id keeps two conversations of one title apart.
                archive.writestr(f"{file_stem(parcel.title)} {parcel.id[-6:]}.md", to_markdown(parcel))
    return packed.getvalue()


def file_stem(title: str) -> str:
    """A title as a file name without its ending, for every system: letters, digits, spaces, at most 60 characters."""
    return " ".join(_NOT_IN_NAMES.sub(" ", title).split())[:_NAME_LIMIT].strip() or "conversation"


def to_json(document: Mapping[str, Any]) -> bytes:
    """A document as JSON in UTF-8: times as ISO 8601 in UTC, money as decimal text."""
    return json.dumps(document, ensure_ascii=False, indent=1, default=_to_text).encode()


def to_markdown(parcel: Parcel) -> str:
    """The branch on show: a heading, then every message under who wrote it; reasoning is left out."""
    shown = as_read(branch(by_id(parcel.messages), leaf_id=parcel.leaf_message_id))
    parts = [f"# {parcel.title}", *(_message(message) for message in shown)]
    return "\n\n".join(parts) + "\n"


def _message(message: Message) -> str:
    who = "You" if message.role == "user" else message.model_label or "Unknown model"
    ending = f", {_ENDINGS[message.status]}" if message.status in _ENDINGS else ""
    head = f"## {who}{ending}\n\n_{message.created_at:%Y-%m-%d %H:%M} UTC_"
    files = [f"_Attached: {attached.name}_" for attached in message.attachments]
    parts = (head, *files, *_steps(message), message.content, message.error_message)
    return "\n\n".join(part for part in parts if part)


def _steps(message: Message) -> list[str]:
    """What a model said and which tools it called before its answer; what these brought is left out."""
    return [part for step in message.steps for part in (step.text, *map(_called, step.uses)) if part]


def _called(use: ToolUse) -> str:
    # A model may put backticks into its arguments; within this it means nothing.
    return f"_Called {use.name}:_ `{use.arguments}`" if "`" not in use.arguments else f"_Called {use.name}_"


def _parcel(row: Row, messages: Sequence[Row]) -> Parcel:
    kept, deleted_at = row.pop("parameters"), row.pop("deleted_at")
    removed = {message["id"]: at for message in messages if (at := message.pop("deleted_at")) is not None}
    return Parcel(
        source="switchboard",
        messages=tuple(message_from(row) for row in messages),
        removed=removed,
        parameters=from_json(kept) if kept else {},
        deleted=deleted_at is not None,
        **row,
    )


def _to_text(value: object) -> Any:
    match value:
        case datetime():
            return f"{value.isoformat()}Z"
        case Decimal():
            return str(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in an export")
