"""The keys of st.session_state that belong to files on their way into a message, typed. Values are plain data."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.chat.attachment_rows import from_json, to_json
from core.chat.conversation import Attachment
from ui.unbroken import unbroken

# The places of what has no id yet.
NEW_CHAT, NEW_COMPARISON = "new chat", "new comparison"

_WAITING = "files_waiting"
_PLACE = "files_place"
_UNSEEN = "unseen_images"


def stand_at(place: str) -> None:
    """Let what waits be that of this place from now on: each conversation has files of its own, as it has a draft."""
    st.session_state[_PLACE] = place


def waiting() -> Sequence[Attachment]:
    """The files that were chosen here and not sent: they go with the next message."""
    return from_json(st.session_state.get(_WAITING, {}).get(_place()))


def set_waiting(attachments: Sequence[Attachment], *, place: str | None = None) -> None:
    """Keep files for the next message, here or in another place."""
    others = {name: kept for name, kept in st.session_state.get(_WAITING, {}).items() if name != (place or _place())}
    here = {place or _place(): to_json(attachments)} if attachments else {}
    st.session_state[_WAITING] = {**others, **here}


def forget_all() -> None:
    """Let go of every file that waits, wherever."""
    st.session_state.pop(_WAITING, None)


def _place() -> str:
    return str(st.session_state.get(_PLACE, NEW_CHAT))


@unbroken
def take_out(unwanted: Attachment) -> None:
    """Let go of a waiting file; a double click lets go of no other one."""
    set_waiting([attached for attached in waiting() if attached != unwanted])


def note_unseen(question_id: str | None) -> None:
    """Remember the message whose images the chosen model cannot see."""
    st.session_state[_UNSEEN] = question_id


def unseen() -> str | None:
    """The message whose images the chosen model could not see when it was to be answered again."""
    value = st.session_state.get(_UNSEEN)
    return value if isinstance(value, str) else None
