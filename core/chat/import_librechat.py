"""LibreChat's export of one conversation: messages in a list, or as a tree with `children`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.chat.conversation import Message
from core.chat.exchange import UNKNOWN_TIME, Parcel, message, moment_of, parameters_of, text_of, title_of
from core.chat.import_tree import at_least_one, joined, leaf_of, not_imported, objects, texts, visible_parent

_NO_PARENT = "00000000-0000-0000-0000-000000000000"
_FINISH = {"stop": "stop", "length": "length", "max_tokens": "length", "incomplete": "length"}
Rows = Mapping[str, Mapping[str, Any]]


def read(entry: Mapping[str, Any]) -> Parcel:
    """A conversation. Raises DamagedEntry when no message of it can be read."""
    rows = dict(_rows(entry.get("messagesTree", entry.get("messages"))))
    shown = {name for name, row in rows.items() if _content(row)[0] or row.get("error")}
    messages = [_read_message(name, rows, shown) for name in rows if name in shown]
    options = entry["options"] if isinstance(entry.get("options"), dict) else {}
    prompt = options.get("promptPrefix") or options.get("system")
    times = sorted(found.created_at for found in messages if found.created_at != UNKNOWN_TIME)
    return Parcel(
        source="librechat",
        id=text_of(entry.get("conversationId")),
        title=title_of(entry.get("title")),
        created_at=moment_of(entry.get("createdAt")) or (times[0] if times else None),
        updated_at=moment_of(entry.get("updatedAt")) or (times[-1] if times else None),
        leaf_message_id=leaf_of(messages, None),
        messages=at_least_one(messages),
        parameters=parameters_of({"system_prompt": prompt} if prompt else {}),
    )


def _rows(messages: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every message with its id, parents before children; the tree is walked without recursion."""
    waiting = [(row, text_of(row.get("parentMessageId"))) for row in reversed(objects(messages))]
    number = 0
    while waiting:
        row, parent = waiting.pop()
        number += 1
        name = text_of(row.get("messageId")) or f"message-{number}"
        yield name, {**row, "children": None, "parentMessageId": parent}
        waiting += [(child, name) for child in reversed(objects(row.get("children")))]


def _read_message(name: str, rows: Rows, shown: set[str]) -> Message:
    row = rows[name]
    parent, _ = visible_parent(
        _parent(rows, name), parent_of=lambda other: _parent(rows, other), visible=shown.__contains__
    )
    text, reasoning = _content(row)
    created_at = moment_of(row.get("createdAt"))
    if row.get("isCreatedByUser") is True:
        return message(id=name, parent_id=parent, role="user", content=text, created_at=created_at)
    failed = row.get("error") is True
    model = text_of(row.get("model")) or None
    return message(
        id=name,
        parent_id=parent,
        role="assistant",
        content="" if failed else text,
        created_at=created_at,
        reasoning=reasoning or None,
        status="failed" if failed else "interrupted" if row.get("unfinished") is True else "complete",
        error_message=(text or "The answer failed in LibreChat.") if failed else None,
        finish_reason=_FINISH.get(text_of(row.get("finish_reason"))),
        served_model=model,
        model_label=model or text_of(row.get("sender")) or None,
    )


def _content(row: Mapping[str, Any]) -> tuple[str, str]:
    """A message as (text, reasoning)."""
    text = text_of(row.get("text"))
    parts = row.get("content")
    if not isinstance(parts, list):
        return text.strip(), ""
    thoughts = [text_of(part.get("think")) for part in objects(parts) if part.get("type") == "think"]
    spoken = [
        part for part in parts if not (isinstance(part, dict) and text_of(part.get("type")) in {"think", "tool_call"})
    ]
    files = [not_imported(file.get("type")) for file in objects(row.get("files"))]
    return joined([*([text] if text.strip() else texts(spoken)), *files]).strip(), joined(thoughts)


def _parent(rows: Rows, name: str) -> str | None:
    parent = text_of(rows.get(name, {}).get("parentMessageId"))
    return None if parent in {"", _NO_PARENT} else parent
