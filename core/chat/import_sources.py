"""Which program an entry of an export comes from, and what is alike in reading them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.chat import import_chatgpt, import_librechat, import_open_webui, import_plain
from core.chat.exchange import Parcel, from_document
from core.errors import DamagedEntry

Reader = Callable[[Mapping[str, Any]], Parcel]


def is_conversation(entry: Mapping[str, Any]) -> bool:
    """Whether an object is a conversation of a program we know; its messages and parts are not."""
    return find_reader(entry) is not None and "models" not in entry


def read_entry(entry: object) -> Parcel:
    """An entry of any known export as a parcel with an id of its own.

    Raises DamagedEntry with the reason, in half a sentence.
    """
    if not isinstance(entry, dict):
        raise DamagedEntry("it is not readable as JSON" if entry is None else "it is no conversation")
    reader = find_reader(entry)
    if reader is None:
        raise DamagedEntry("it holds no messages" if "title" in entry else "it is no conversation")
    try:
        parcel = reader(entry)
        return parcel if parcel.id else replace(parcel, id=_fingerprint(entry))
    except RecursionError:
        raise DamagedEntry("it is nested too deeply") from None


def find_reader(entry: Mapping[str, Any]) -> Reader | None:
    """Who reads an entry, told by the members that only one program's export has; None when nobody does."""
    if isinstance(entry.get("mapping"), dict):
        return import_chatgpt.read
    if isinstance(entry.get("chat"), dict) or isinstance(entry.get("history"), dict):
        return import_open_webui.read
    if "conversationId" in entry and isinstance(entry.get("messagesTree", entry.get("messages")), list):
        return import_librechat.read
    if isinstance(entry.get("messages"), list):
        return from_document if "leaf_message_id" in entry else import_plain.read
    return None


def _fingerprint(entry: Mapping[str, Any]) -> str:
    """An id for what brings none: the same content is the same conversation."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
