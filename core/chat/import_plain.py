"""Conversations of roles and texts only, as small apps keep them: `{role, content}` or `{role, parts}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.chat.conversation import Message
from core.chat.exchange import Parcel, message, moment_of, parameters_of, text_of, title_of
from core.chat.import_tree import at_least_one, joined, objects, texts

_ROLES: Mapping[str, Literal["user", "assistant"]] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "ai": "assistant",
}


def read(entry: Mapping[str, Any]) -> Parcel:
    """A conversation without branches. Raises DamagedEntry when no message of it can be read."""
    rows = objects(entry["messages"])
    messages: list[Message] = []
    for number, row in enumerate(rows):
        role, text = _ROLES.get(text_of(row.get("role")).lower()), _text(row)
        if role is not None and text.strip():
            messages.append(_read_message(row, number, role, text, messages[-1].id if messages else None))
    prompts = [_text(row) for row in rows if text_of(row.get("role")) in {"system", "developer"}]
    kept = at_least_one(messages)
    first = next((found.content for found in kept if found.role == "user"), kept[0].content)
    return Parcel(
        source="messages",
        id=text_of(entry.get("id")),
        title=title_of(entry.get("title") or entry.get("name") or first[:60]),
        created_at=_time(entry),
        updated_at=moment_of(entry.get("updated_at")),
        leaf_message_id=kept[-1].id,
        messages=kept,
        parameters=parameters_of({"system_prompt": joined(prompts)} if prompts else {}),
        lost=len(entry["messages"]) - len(rows),
    )


def _read_message(
    row: Mapping[str, Any], number: int, role: Literal["user", "assistant"], text: str, parent: str | None
) -> Message:
    model = None if role == "user" else text_of(row.get("model")) or None
    return message(
        id=f"message-{number}",
        parent_id=parent,
        role=role,
        content=text,
        created_at=_time(row),
        served_model=model,
        model_label=model,
    )


def _text(row: Mapping[str, Any]) -> str:
    return joined(texts(row.get("content")) or texts(row.get("parts")) or texts(row.get("text")))


def _time(row: Mapping[str, Any]) -> Any:
    return next((found for name in ("created_at", "timestamp", "time") if (found := moment_of(row.get(name)))), None)
