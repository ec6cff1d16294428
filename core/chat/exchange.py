"""The exchange format: a conversation as one JSON object, on its way out or in (docs/exchange.md).

A `Parcel` is a conversation with the ids it has where it comes from. The readers of other programs' exports make
parcels as well, so that everything after them knows one shape only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from core.catalog.models import ParameterValue
from core.chat.conversation import FallbackChoice, Message, MessageStatus
from core.chat.kept_steps import as_rows, from_rows
from core.chat.plain_text import clean_text, with_visible_controls
from core.errors import DamagedEntry

FORMAT = "switchboard"
VERSION = 1

Source = Literal["switchboard", "chatgpt", "open_webui", "librechat", "messages", "share"]
JSONObject = Mapping[str, Any]

TITLE_LIMIT = 200
# Seconds since 1970 reach this in the year 5138; a larger number counts milliseconds.
_LARGEST_SECONDS = 1e11
_YEARS = range(1970, 2200)
_OPTIONAL = (
    "reasoning",
    "finish_reason",
    "requested_model",
    "served_model",
    "model_label",
    "error_class",
    "error_message",
    "error_detail",
    "note",
)
MESSAGE_FIELDS = ("id", "parent_id", "turn_id", "role", "content", "status", "created_at", *_OPTIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A conversation and its messages. `id` and the messages' ids are those of the source, `""` where it has none.

    `tags` are words separated by spaces. `lost` counts messages that could not be read. `deleted`: its owner had
    deleted it when it was exported; `removed` says the same of messages, by their ids, and when.
    """

    source: Source
    id: str
    title: str
    created_at: datetime | None
    updated_at: datetime | None
    leaf_message_id: str | None
    messages: tuple[Message, ...]
    title_source: Literal["auto", "user"] = "user"
    model_id: str | None = None
    fallback: FallbackChoice = "automatic"
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    pinned_at: datetime | None = None
    archived_at: datetime | None = None
    tags: str = ""
    tools: bool = True
    use_case: str | None = None
    lost: int = 0
    deleted: bool = False
    removed: Mapping[str, datetime] = field(default_factory=dict)


def header(exported_at: datetime) -> dict[str, Any]:
    """How every exported file begins."""
    return {"format": FORMAT, "version": VERSION, "exported_at": exported_at}


def to_document(parcel: Parcel) -> dict[str, Any]:
    """A parcel as the exchange format's object; times stay datetimes for `to_json` of the exporter."""
    return {
        "id": parcel.id,
        "title": parcel.title,
        "title_source": parcel.title_source,
        "model_id": parcel.model_id,
        "leaf_message_id": parcel.leaf_message_id,
        "fallback": parcel.fallback,
        "created_at": parcel.created_at,
        "updated_at": parcel.updated_at,
        "pinned_at": parcel.pinned_at,
        "archived_at": parcel.archived_at,
        "tags": parcel.tags,
        "tools": parcel.tools,
        "use_case": parcel.use_case,
        "deleted": parcel.deleted,
        "parameters": dict(parcel.parameters),
        "messages": [_row(message, parcel.removed.get(message.id)) for message in parcel.messages],
    }


def from_document(entry: JSONObject) -> Parcel:
    """The reverse of `to_document`. Raises DamagedEntry when it holds no message that can be read."""
    rows = entry.get("messages")
    rows = rows if isinstance(rows, list) else []
    # What its owner had deleted does not come back.
    rows = [row for row in rows if not (isinstance(row, dict) and row.get("deleted_at"))]
    read = [_message(row, number) for number, row in enumerate(rows)]
    messages = tuple(message for message in read if message is not None)
    if not messages:
        raise DamagedEntry("it holds no message that can be read")
    fallback = text_of(entry.get("fallback"))
    return Parcel(
        source="switchboard",
        id=text_of(entry.get("id")),
        title=title_of(entry.get("title")),
        title_source="auto" if entry.get("title_source") == "auto" else "user",
        model_id=text_of(entry.get("model_id")) or None,
        leaf_message_id=text_of(entry.get("leaf_message_id")) or None,
        fallback=cast("FallbackChoice", fallback) if fallback in get_args(FallbackChoice) else "automatic",
        created_at=moment_of(entry.get("created_at")),
        updated_at=moment_of(entry.get("updated_at")),
        pinned_at=moment_of(entry.get("pinned_at")),
        archived_at=moment_of(entry.get("archived_at")),
        tags=" ".join(text_of(entry.get("tags")).lower().split())[:TITLE_LIMIT],
        tools=entry.get("tools") is not False,
        use_case=entry["use_case"][:TITLE_LIMIT] if isinstance(entry.get("use_case"), str) else None,
        parameters=parameters_of(entry.get("parameters")),
        messages=messages,
        lost=len(rows) - len(messages),
        deleted=bool(entry.get("deleted") or entry.get("deleted_at")),
    )


def message(
    *,
    id: str,  # noqa: A002 - the name of the field
    parent_id: str | None,
    role: Literal["user", "assistant"],
    content: str,
    created_at: datetime | None,
    **fields: Any,
) -> Message:
    """A message of a parcel: no conversation and, unless given, no turn yet; without a time it takes the earliest."""
    given = {"turn_id": "", "status": "complete", **fields}
    return Message(
        id=id,
        conversation_id="",
        parent_id=parent_id,
        role=role,
        content=clean_text(content),
        created_at=created_at or UNKNOWN_TIME,
        **given,
    )


# Stands for "the source does not say": replaced by the conversation's own time when it is stored.
UNKNOWN_TIME = datetime.min  # noqa: DTZ901 - naive UTC, like every time here


def text_of(value: object) -> str:
    """A text as it can be stored; `""` for anything that is neither text nor a number."""
    if isinstance(value, str):
        return with_visible_controls(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def title_of(value: object) -> str:
    """A title on one line, cut at 200 characters, never empty."""
    return " ".join(text_of(value).split())[:TITLE_LIMIT].rstrip() or "Imported chat"


def moment_of(value: object) -> datetime | None:
    """A moment in naive UTC from ISO 8601 text or from seconds or milliseconds since 1970; None when it is neither."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > _LARGEST_SECONDS else value
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
        naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError, OSError):
        return None
    return naive if naive.year in _YEARS else None


def parameters_of(value: object) -> dict[str, ParameterValue]:
    """Parameters from JSON; what is no parameter's value is left out."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {text_of(name): held for name, raw in pairs if (held := _parameter(raw)) is not None}


def _row(message: Message, removed_at: datetime | None) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in MESSAGE_FIELDS} | {"reasoning_ms": message.reasoning_ms}
    row["steps"] = as_rows(message.steps)
    return row if removed_at is None else {**row, "deleted_at": removed_at}


def _parameter(raw: object) -> ParameterValue | None:
    match raw:
        case str():
            return clean_text(raw)
        case bool() | int():
            return raw
        case float() if raw == raw and abs(raw) != float("inf"):  # noqa: PLR0124 - not a number is the one that differs
            return raw
        case list() if all(isinstance(item, str) for item in raw):
            return tuple(clean_text(item) for item in raw)
        case _:
            return None


def _message(row: object, number: int) -> Message | None:
    """A message of our own export; None for what is no message."""
    if not isinstance(row, dict) or not isinstance(row.get("content"), str):
        return None
    role = text_of(row.get("role"))
    if role not in {"user", "assistant"}:
        return None
    status = row.get("status")
    optional = {name: clean_text(held) if isinstance(held := row.get(name), str) else None for name in _OPTIONAL}
    return message(
        id=text_of(row.get("id")) or f"message-{number}",
        parent_id=text_of(row.get("parent_id")) or None,
        turn_id=text_of(row.get("turn_id")),
        role=cast("Literal['user', 'assistant']", role),
        content=row["content"],
        status=cast("MessageStatus", status if status in get_args(MessageStatus) else "complete"),
        created_at=moment_of(row.get("created_at")),
        reasoning_ms=_milliseconds(row.get("reasoning_ms")),
        steps=from_rows(row.get("steps")),
        **optional,
    )


def _milliseconds(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < _LARGEST_SECONDS:
        return None
    return float(value)
