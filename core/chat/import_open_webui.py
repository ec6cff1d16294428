"""Open WebUI's export: messages by id under `chat.history.messages`; older ones as a list under `chat.messages`."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from core.chat.conversation import Message
from core.chat.exchange import Parcel, message, moment_of, parameters_of, text_of, title_of
from core.chat.import_tree import at_least_one, joined, leaf_of, not_imported, objects, texts, visible_parent

_DETAILS = re.compile(r"<details\b(?P<attributes>[^>]*)>(?P<body>.*?)</details>\s*", re.DOTALL)
_SUMMARY = re.compile(r"<summary>.*?</summary>\s*", re.DOTALL)
_MOST_DETAILS = 200
_QUOTE = re.compile(r"^> ?", re.MULTILINE)
Rows = Mapping[str, Mapping[str, Any]]


def read(entry: Mapping[str, Any]) -> Parcel:
    """A conversation. Raises DamagedEntry when no message of it can be read."""
    chat = entry["chat"] if isinstance(entry.get("chat"), dict) else entry
    history = chat["history"] if isinstance(chat.get("history"), dict) else {}
    rows, lost = _rows(chat, history)
    shown = {name for name, row in rows.items() if text_of(row.get("role")) in {"user", "assistant"} and _is_there(row)}
    messages = [_read_message(name, rows, shown) for name in rows if name in shown]
    end, _ = visible_parent(
        text_of(history.get("currentId")), parent_of=lambda name: _parent(rows, name), visible=shown.__contains__
    )
    system = _object(chat.get("params")).get("system") or chat.get("system")
    return Parcel(
        source="open_webui",
        id=text_of(entry.get("id")),
        title=title_of(entry.get("title") or chat.get("title")),
        created_at=moment_of(entry.get("created_at") or chat.get("timestamp")),
        updated_at=moment_of(entry.get("updated_at")),
        leaf_message_id=leaf_of(messages, end),
        messages=at_least_one(messages),
        parameters=parameters_of({"system_prompt": system} if system else {}),
        lost=lost,
    )


def _rows(chat: Mapping[str, Any], history: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], int]:
    """The messages by id, with their parents, and how many were no messages."""
    by_id = history.get("messages")
    if isinstance(by_id, dict) and by_id:
        kept: dict[str, Mapping[str, Any]] = {name: row for name, row in by_id.items() if isinstance(row, dict)}
        return kept, len(by_id) - len(kept)
    listed = chat.get("messages")
    rows: dict[str, Mapping[str, Any]] = {}
    before: str | None = None
    for number, row in enumerate(objects(listed)):
        name = text_of(row.get("id")) or f"message-{number}"
        rows[name] = {**row, "parentId": row.get("parentId") or before}
        before = name
    return rows, len(listed) - len(rows) if isinstance(listed, list) else 0


def _read_message(name: str, rows: Rows, shown: set[str]) -> Message:
    row = rows[name]
    parent, _ = visible_parent(
        _parent(rows, name), parent_of=lambda other: _parent(rows, other), visible=shown.__contains__
    )
    if row["role"] == "user":
        return message(
            id=name, parent_id=parent, role="user", content=_content(row), created_at=moment_of(row.get("timestamp"))
        )
    text, reasoning = split_details(_content(row))
    problem = _problem(row)
    model = text_of(row.get("model")) or None
    return message(
        id=name,
        parent_id=parent,
        role="assistant",
        content=text,
        created_at=moment_of(row.get("timestamp")),
        reasoning=reasoning or None,
        status="failed" if problem else "interrupted" if row.get("done") is False else "complete",
        error_message=problem or None,
        served_model=model,
        model_label=text_of(row.get("modelName")) or model,
    )


def split_details(content: str) -> tuple[str, str]:
    """An answer as (text, reasoning): Open WebUI writes reasoning and tool calls into the answer as HTML."""
    reasoning: list[str] = []

    def taken(found: re.Match[str]) -> str:
        body = html.unescape(_QUOTE.sub("", _SUMMARY.sub("", found["body"]).strip())).strip()
        # Escaped in the source, so that the marks of the quotation only show afterwards.
        body = _QUOTE.sub("", body)
        if 'type="reasoning"' in found["attributes"]:
            reasoning.append(body)
            return ""
        return f"{body}\n\n" if body else ""

    # A text with more of them is no answer: looking for the end of each would take time without bound.
    few = all(content.count(mark) <= _MOST_DETAILS for mark in ("<details", "<summary"))
    text = _DETAILS.sub(taken, content) if few else content
    return text.strip(), joined(reasoning)


def _content(row: Mapping[str, Any]) -> str:
    files = [
        not_imported("image")
        if file.get("type") == "image"
        else f"(The file {text_of(file.get('name'))}, not imported.)"
        for file in objects(row.get("files"))
    ]
    return joined([*texts(row.get("content")), *files])


def _problem(row: Mapping[str, Any]) -> str:
    error = row.get("error")
    return text_of(_object(error).get("content")) or (error if isinstance(error, str) else "")


def _is_there(row: Mapping[str, Any]) -> bool:
    return bool(_content(row).strip() or _problem(row))


def _parent(rows: Rows, name: str) -> str | None:
    return text_of(rows.get(name, {}).get("parentId")) or None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
