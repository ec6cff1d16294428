"""Every key of st.session_state, in one place and typed.

Values are plain data: class identity does not survive edits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog.models import ParameterValue
from core.chat.live_turn import LiveTurn
from core.chat.temporary import TemporaryChat
from ui import address, shown_messages
from ui.unbroken import unbroken

COMPOSER = "composer"
MODEL = "model_selector"

_CONVERSATION_PARAMETER = "c"
_GIVEN_BACK = "given_back"
_NOTICE = "notice"
_NOTICE_MODEL = "notice_model"
_UNDO = "deleted_conversation"
_LISTED = "listed_conversations"
_STREAMED = "streamed_messages"
_FOLLOWS = "model_follows"
_OPENED = "opened_conversation"
_FOUND = "found_message"
_FOUND_LISTED = "found_conversations"
_SEARCH = "kept_search"
_TEMPORARY = "temporary_chat"
_LEFT_TURN = "left_turn"
_ACTIVE_MODEL = "active_model"
_SUCCESSOR = "successor_in"
_NEW_CHAT_PARAMETERS = "new_chat_parameters"
_NEW_CHAT_TOOLS = "new_chat_tools"
_TICKED_MODELS = "models_ticked"
_USE_CASE = "use_case"
_ANSWER_CAP = "answer_cap"

FIRST_CONVERSATIONS = 30


def conversation_id() -> str | None:
    """The conversation on show: the URL's, so that a reload, a second tab and a link open it.

    Streamlit's links to pages drop the parameter; then it is the one this tab had open, and the URL gets it back.
    """
    conversation = address.value(_CONVERSATION_PARAMETER) or st.session_state.get(_OPENED)
    if conversation is not None:
        st.session_state[_OPENED] = conversation
        address.put(_CONVERSATION_PARAMETER, conversation)
    return conversation


@unbroken
def open_conversation(conversation: str | None) -> None:
    """Show a conversation, or none for a new chat."""
    st.session_state[_OPENED] = conversation
    if conversation is None:
        address.put(_CONVERSATION_PARAMETER)
    else:
        address.put(_CONVERSATION_PARAMETER, conversation)
    shown_messages.start_over()
    st.session_state.pop(_FOUND, None)
    set_temporary_chat(None)


def temporary_chat() -> TemporaryChat | None:
    """The chat of this tab that is not stored; None when it shows another one."""
    value: TemporaryChat | None = st.session_state.get(_TEMPORARY)
    return value


def set_temporary_chat(chat: TemporaryChat | None) -> None:
    """Show a chat that is not stored; with None it is forgotten, and an answer in it is one that nobody waits for."""
    held = temporary_chat()
    if chat is None and held is not None and held.live is not None:
        st.session_state[_LEFT_TURN] = held.live
    st.session_state[_TEMPORARY] = chat


def take_left_turn() -> LiveTurn | None:
    """The turn of the temporary chat that was left while it was being answered, once."""
    value: LiveTurn | None = st.session_state.pop(_LEFT_TURN, None)
    return value


def point_out(conversation: str, message_id: str, terms: Sequence[str]) -> None:
    """Show a message of the search when its conversation is on show, with these words marked in it."""
    st.session_state[_FOUND] = (conversation, message_id, tuple(terms))


def pointed_out() -> tuple[str, tuple[str, ...]] | None:
    """The message of the open conversation that the search led to, as (id, words), until something is sent."""
    conversation, message_id, terms = st.session_state.get(_FOUND, ("", "", ()))
    return (message_id, terms) if conversation and conversation == st.session_state.get(_OPENED) else None


def stop_pointing_out() -> None:
    """The message of the search is one like any other from now on."""
    st.session_state.pop(_FOUND, None)


def opened() -> str | None:
    """The conversation this tab has open, also while another page is on show."""
    value = st.session_state.get(_OPENED)
    return value if isinstance(value, str) else None


def keep_search(user_id: str, text: str) -> None:
    """Keep what somebody searches for while they look at what they found."""
    st.session_state[_SEARCH] = (user_id, text)


def kept_search(user_id: str) -> str:
    """What this person searched for last in this tab."""
    by, text = st.session_state.get(_SEARCH, ("", ""))
    return str(text) if by == user_id else ""


def found_conversations() -> int:
    """How many conversations the search page lists."""
    return int(st.session_state.get(_FOUND_LISTED, FIRST_CONVERSATIONS))


@unbroken
def find_more_conversations() -> None:
    """List more on the search page from now on."""
    st.session_state[_FOUND_LISTED] = found_conversations() + FIRST_CONVERSATIONS


def active_model() -> str | None:
    """The id of the model that the next message goes to; None before the selector was drawn."""
    value = st.session_state.get(_ACTIVE_MODEL)
    return value if isinstance(value, str) else None


def set_active_model(model_id: str | None) -> None:
    """Remember the chosen model. The selector's own key may hold a label the browser kept from an earlier run."""
    st.session_state[_ACTIVE_MODEL] = model_id


def model_follows() -> str | None:
    """The conversation whose model the selector was last set from."""
    value = st.session_state.get(_FOLLOWS, "")
    return value if isinstance(value, str) or value is None else None


def set_model_follows(conversation: str | None) -> None:
    """Remember the conversation whose model the selector shows."""
    st.session_state[_FOLLOWS] = conversation


def new_chat_parameters() -> dict[str, ParameterValue]:
    """What is set for a chat that has no message yet."""
    return dict(st.session_state.get(_NEW_CHAT_PARAMETERS, {}))


def set_new_chat_parameters(values: Mapping[str, ParameterValue]) -> None:
    """Keep what is set for a chat until its first message."""
    st.session_state[_NEW_CHAT_PARAMETERS] = dict(values)


def new_chat_tools() -> bool:
    """Whether models may call tools in a chat that has no message yet, or is not stored."""
    return bool(st.session_state.get(_NEW_CHAT_TOOLS, True))


def set_new_chat_tools(wanted: bool) -> None:  # noqa: FBT001 - a setter
    """Keep that for a chat until its first message."""
    st.session_state[_NEW_CHAT_TOOLS] = wanted


def answer_cap() -> str | None:
    """The most that an answer may cost, in dollars as text, as this person's settings said when the page was drawn."""
    value = st.session_state.get(_ANSWER_CAP)
    return value if isinstance(value, str) else None


def set_answer_cap(most_usd: str | None) -> None:
    """Remember the most that an answer may cost, so that sending needs no look at the store."""
    st.session_state[_ANSWER_CAP] = most_usd


def use_case() -> str | None:
    """What this person mostly does, as the page last read it: the ledger keeps it with every call."""
    value = st.session_state.get(_USE_CASE)
    return value if isinstance(value, str) else None


def set_use_case(name: str | None) -> None:
    """Remember what this person mostly does, so that sending needs no look at the store."""
    st.session_state[_USE_CASE] = name


def ticked_models() -> list[str]:
    """The ids of the models to compare, in the order in which they were ticked."""
    value = st.session_state.get(_TICKED_MODELS, [])
    return list(value) if isinstance(value, list) else []


def tick_models(model_ids: Sequence[str]) -> None:
    """Let these be the models to compare."""
    st.session_state[_TICKED_MODELS] = list(model_ids)


def note_successor(conversation: str | None) -> None:
    """Remember the conversation whose own model is gone and whose next message goes to a successor."""
    st.session_state[_SUCCESSOR] = conversation


def successor_noted(conversation: str) -> bool:
    """Whether this conversation's next message goes to a successor of its own model."""
    return bool(st.session_state.get(_SUCCESSOR) == conversation)


def keep_draft(text: str) -> None:
    """Put a text back into the composer. Only before the composer is drawn, so from a callback."""
    # Streamlit's chat input takes a value only where it is another one than it was given last: what comes back in the
    # same words has a space more at its end, or one less.
    if text == st.session_state.get(_GIVEN_BACK):
        text = text.removesuffix(" ") if text.endswith(" ") else f"{text} "
    st.session_state[COMPOSER] = st.session_state[_GIVEN_BACK] = text


def leave_notice(text: str, *, model_id: str | None = None) -> None:
    """Keep a sentence for the next time the page is drawn; `model_id` is a model that it says to use instead."""
    st.session_state[_NOTICE] = text
    st.session_state[_NOTICE_MODEL] = model_id


def take_notice() -> str | None:
    """The sentence that was left, once."""
    value = st.session_state.pop(_NOTICE, None)
    return value if isinstance(value, str) else None


def take_notice_model() -> str | None:
    """The model that the sentence says to use instead, once."""
    value = st.session_state.pop(_NOTICE_MODEL, None)
    return value if isinstance(value, str) else None


def offer_undo(conversations: Sequence[str], what: str) -> None:
    """Remember the conversations that were just deleted: their ids, and what to call them."""
    st.session_state[_UNDO] = (tuple(conversations), what)


def undo() -> tuple[tuple[str, ...], str] | None:
    """The conversations that were just deleted, as (ids, what to call them), while the offer stands."""
    value = st.session_state.get(_UNDO)
    return value if isinstance(value, tuple) else None


def drop_undo() -> None:
    """End the offer to undo."""
    st.session_state.pop(_UNDO, None)


def listed_conversations() -> int:
    """How many conversations the sidebar lists."""
    return int(st.session_state.get(_LISTED, FIRST_CONVERSATIONS))


@unbroken
def list_more_conversations(count: int) -> None:
    """List more of the older conversations from now on."""
    st.session_state[_LISTED] = listed_conversations() + count


def mark_streamed(message_id: str) -> None:
    """Remember that this tab drew an answer block by block, so that it is drawn the same way again."""
    st.session_state.setdefault(_STREAMED, set()).add(message_id)


def was_streamed(message_id: str) -> bool:
    """Whether this tab drew the answer block by block."""
    return message_id in st.session_state.get(_STREAMED, ())
