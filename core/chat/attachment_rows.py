"""What is known of attached files as it stands in the row of their message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from core.chat.conversation import Attachment

# In the snapshot of a link: what is known of the files, by their message.
FILES_BY_MESSAGE = "files_by_message"

# There while a request is made, never in a row.
_PASSING = frozenset({"text", "lost"})
_FIELDS = tuple(field.name for field in fields(Attachment) if field.name not in _PASSING)
_NEEDED = frozenset({"name", "kind", "media_type", "content_hash", "size_bytes"})


def as_rows(attachments: Sequence[Attachment]) -> list[dict[str, Any]]:
    """The files as plain data; what is not known of one is left out."""
    return [
        {name: value for name in _FIELDS if (value := getattr(attached, name)) is not None} for attached in attachments
    ]


def to_json(attachments: Sequence[Attachment]) -> str | None:
    """The files as JSON; None when there are none."""
    return json.dumps(as_rows(attachments), ensure_ascii=False) if attachments else None


def from_json(text: str | None) -> tuple[Attachment, ...]:
    """What `to_json` wrote; a file that a newer version wrote otherwise is left out."""
    rows = json.loads(text) if text else []
    return tuple(
        Attachment(**{name: row[name] for name in _FIELDS if name in row}) for row in rows if row.keys() >= _NEEDED
    )
