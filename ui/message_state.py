"""The keys of st.session_state that belong to the messages of a conversation, typed: what is edited, rated, undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from ui.unbroken import unbroken

_EDITING = "edited_message"
_EDIT_DRAFTS = "edit_drafts"
_ASKING_AGAIN = "asking_again"
_REASON_FOR = "reason_for"
_DELETED = "deleted_message"
_RATINGS = "ratings"
_SEEN = "seen_state"
_FRESH = "seen_just_now"
_BEGUN = "begun_here"

# What a tab has seen of a conversation: the end of the branch on show, the turn that was running, and the title.
Seen = tuple[str | None, str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A message that was just deleted, and how many went with it, itself included."""

    conversation_id: str
    message_id: str
    count: int


def editing() -> str | None:
    """The id of the question that is being edited."""
    value = st.session_state.get(_EDITING)
    return value if isinstance(value, str) else None


def edit(message_id: str | None) -> None:
    """Open the editor of a question, or none."""
    st.session_state[_EDITING] = message_id


def edit_key(message_id: str) -> str:
    """The key of the text area that edits a question."""
    return f"edit_{message_id}"


def edit_draft(message_id: str) -> str | None:
    """What was typed into a question's editor and not sent."""
    value = st.session_state.get(_EDIT_DRAFTS, {}).get(message_id)
    return value if isinstance(value, str) else None


def keep_edit_draft(message_id: str, text: str | None) -> None:
    """Keep what was typed into a question's editor; None forgets it."""
    drafts = {**st.session_state.get(_EDIT_DRAFTS, {}), message_id: text}
    st.session_state[_EDIT_DRAFTS] = {name: draft for name, draft in drafts.items() if draft is not None}


def ask_again(message_id: str) -> None:
    """Open the dialog that answers a question again, the next time the page is drawn."""
    st.session_state[_ASKING_AGAIN] = message_id


def take_asking_again() -> str | None:
    """The answer whose dialog is to be opened, once."""
    value = st.session_state.pop(_ASKING_AGAIN, None)
    return value if isinstance(value, str) else None


@unbroken
def ask_reason(message_id: str | None) -> None:
    """Ask why an answer was rated as it was, or stop asking."""
    st.session_state[_REASON_FOR] = message_id


def reason_asked() -> str | None:
    """The answer whose rating could do with a reason."""
    value = st.session_state.get(_REASON_FOR)
    return value if isinstance(value, str) else None


def offer_restore(deleted: Deleted | None) -> None:
    """Offer to bring back a deleted message, or end the offer."""
    st.session_state[_DELETED] = deleted and (deleted.conversation_id, deleted.message_id, deleted.count)


def deleted(conversation_id: str) -> Deleted | None:
    """The message of this conversation that was just deleted, while the offer stands."""
    value = st.session_state.get(_DELETED)
    if not isinstance(value, tuple) or value[0] != conversation_id:
        return None
    return Deleted(conversation_id=value[0], message_id=value[1], count=value[2])


def thumbs(conversation_id: str) -> Mapping[str, int] | None:
    """The ratings of a conversation's answers as 1 and -1 by their ids; None before they were read."""
    kept = st.session_state.get(_RATINGS)
    return kept[1] if isinstance(kept, tuple) and kept[0] == conversation_id else None


def keep_thumbs(conversation_id: str, thumbs: Mapping[str, int]) -> None:
    """Remember the ratings of the open conversation, so that they are read once and not at every click."""
    st.session_state[_RATINGS] = (conversation_id, dict(thumbs))


def seen() -> Seen:
    """What this tab last drew of the open conversation."""
    value = st.session_state.get(_SEEN)
    return value if isinstance(value, tuple) else (None, None, "")


def note_seen(leaf_id: str | None, turn_id: str | None, title: str) -> None:
    """Remember what this tab draws."""
    st.session_state[_SEEN] = (leaf_id, turn_id, title)
    st.session_state[_FRESH] = True


def take_fresh() -> bool:
    """Whether that was noted in this very run."""
    return bool(st.session_state.pop(_FRESH, False))


def note_begun(conversation_id: str) -> None:
    """Remember the conversation that this tab began last: what stands in its composer was typed into it."""
    st.session_state[_BEGUN] = conversation_id


def begun() -> str | None:
    """The conversation that this tab began last."""
    value = st.session_state.get(_BEGUN)
    return value if isinstance(value, str) else None
