"""The keys of st.session_state that belong to files on their way into a message, typed. Values are plain data."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.chat.attachment_rows import from_json, to_json
from core.chat.conversation import Attachment

_WAITING = "waiting_files"
_UNSEEN = "unseen_images"


def waiting() -> Sequence[Attachment]:
    """The files that were chosen and not sent: they go with the next message."""
    return from_json(st.session_state.get(_WAITING))


def set_waiting(attachments: Sequence[Attachment]) -> None:
    """Keep files for the next message."""
    st.session_state[_WAITING] = to_json(attachments)


def take_out(place: int) -> None:
    """Let go of the waiting file at this place."""
    set_waiting([attached for at, attached in enumerate(waiting()) if at != place])


def note_unseen(question_id: str | None) -> None:
    """Remember the message whose images the chosen model cannot see."""
    st.session_state[_UNSEEN] = question_id


def unseen() -> str | None:
    """The message whose images the chosen model could not see when it was to be answered again."""
    value = st.session_state.get(_UNSEEN)
    return value if isinstance(value, str) else None
