"""The keys of st.session_state about what is sent of a conversation and to which model. Values are plain data."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ui.unbroken import unbroken

_REFUSED = "too_long"
_DROPS = "drops_oldest_in"
_SUMMARISED = "summarised"
_SWITCH = "switch"
_CONFIRMED = "confirmed_switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLong:
    """A message that did not fit: where, for which model, how long it is itself, and the question to answer again."""

    conversation_id: str | None
    model_id: str
    tokens: int
    again: str | None


def note_too_long(refused: TooLong | None) -> None:
    """Remember a message that did not fit; None forgets it."""
    held = None if refused is None else (refused.conversation_id, refused.model_id, refused.tokens, refused.again)
    st.session_state[_REFUSED] = held


def too_long(conversation_id: str | None, model_id: str) -> TooLong | None:
    """The message that did not fit this model in this conversation, if that was the last thing that happened."""
    held = st.session_state.get(_REFUSED)
    if held is None or held[:2] != (conversation_id, model_id):
        return None
    return TooLong(conversation_id=held[0], model_id=held[1], tokens=held[2], again=held[3])


@unbroken
def set_drops_oldest(conversation_id: str | None) -> None:
    """Send the next message of this conversation without the oldest ones; None sends everything."""
    st.session_state[_DROPS] = conversation_id


def drops_oldest(conversation_id: str | None) -> bool:
    """Whether the next message of a conversation goes without the oldest ones."""
    return conversation_id is not None and st.session_state.get(_DROPS) == conversation_id


def note_summarised(conversation_id: str | None) -> None:
    """Remember the conversation in which a summary stands, so that sending in others needs no look at the store."""
    st.session_state[_SUMMARISED] = conversation_id


def summarised(conversation_id: str | None) -> bool:
    """Whether a summary stood in this conversation when it was drawn."""
    return conversation_id is not None and st.session_state.get(_SUMMARISED) == conversation_id


def note_switch(conversation_id: str | None, last_model: str | None) -> None:
    """Remember the conversation that is long enough to ask before its model changes, and who answered last in it."""
    st.session_state[_SWITCH] = (conversation_id, last_model)


@unbroken
def confirm_switch(conversation_id: str | None, model_id: str) -> None:
    """The person wants this model in this conversation."""
    st.session_state[_CONFIRMED] = (conversation_id, model_id)


def switch_confirmed(conversation_id: str | None, model_id: str) -> bool:
    """Whether the person said that they want this model in this conversation."""
    return bool(st.session_state.get(_CONFIRMED) == (conversation_id, model_id))


def switch_waits(conversation_id: str | None, model_id: str) -> bool:
    """Whether a message to this model has to wait until the person has confirmed the switch."""
    held, last = st.session_state.get(_SWITCH, (None, None))
    if conversation_id is None or held != conversation_id or last in {None, model_id}:
        return False
    return not switch_confirmed(conversation_id, model_id)
