"""The message that a search led to: brought into view, framed, with the words marked."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import streamlit as st

from core.chat.conversation import Message
from ui.sources import source

_point = st.components.v2.component("found_message", js=source("found_message.js"))


# The message that a search led to, and the words that were looked for.
Found = tuple[str, tuple[str, ...]]


def found_place(message: Message, found: Found | None) -> AbstractContextManager[Any]:
    """Where to draw a message: in a frame, if it is the one that the search led to."""
    return st.container(key="found_message") if found and found[0] == message.id else nullcontext()


def draw_pointer(found: Found | None) -> None:
    """Bring the found message into view, if there is one. After the messages."""
    if found is not None:
        message_id, terms = found
        _bring("found_message", message_id, terms=list(terms), block="center")


def bring_column(column_id: str) -> None:
    """Bring a column of a comparison into view, once in every tab."""
    _bring(f"column_{column_id}", column_id, terms=[], block="nearest")


def _bring(at: str, name: str, *, terms: list[str], block: str) -> None:
    """`at` is the key of a container, `name` tells one request from another."""
    _point(key=f"pointer_{block}", data={"at": at, "message": name, "terms": terms, "block": block})
