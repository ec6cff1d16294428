"""The parts of the chat page around the messages: sidebar, header, composer, empty state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.attachments import MOST_MEGABYTES
from ui import chat, file_state, state
from ui.attachments import FILE_TYPES, LIMITS, draw_sight, draw_waiting, receive
from ui.auth import current_user
from ui.before_sending import draw_before_sending
from ui.chat import OpenChat
from ui.clicks import do_earlier, do_unless_earlier
from ui.conversation_list import NEW_CHAT_SHORTCUT, draw_conversations, draw_search_button
from ui.conversation_menu import draw_menu, title_line
from ui.model_gone import draw_model_gone
from ui.model_selector import draw_selector
from ui.parameters_form import draw_parameters
from ui.prompts_view import draw_prompts_button
from ui.recommendation import draw_recommendation
from ui.temporary_chat import draw_begin, draw_mark
from ui.unbroken import once, unbroken
from ui.use_case import note_use_case

_NEW_CHAT, _SUGGESTIONS = "new_chat", "suggestions"


def draw_sidebar(services: Services, user: User, opened: OpenChat) -> None:
    """New chat, the model, the conversations."""
    with st.sidebar:
        with st.container(gap="xsmall"):
            st.button(
                "New chat",
                key=_NEW_CHAT,
                icon=":material/edit_square:",
                width="stretch",
                shortcut=NEW_CHAT_SHORTCUT,
                on_click=_open_new,
            )
            draw_search_button()
        chat.follow_model(opened)
        note_use_case(opened.conversation, begun=not opened.is_empty)
        draw_selector(services, user, on_change=partial(chat.keep_model, services))
        draw_parameters(services, user, choose_model=partial(chat.choose_model, services))
        draw_conversations(services, user_id=user.id)


def draw_header(services: Services, opened: OpenChat) -> None:
    """The title of the open conversation and its menu; of a temporary chat that it is one."""
    if opened.temporary is not None and not opened.is_empty:
        draw_mark()
    if opened.conversation is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(title_line(opened.conversation), width="stretch", wrap=False)
        draw_menu(services, opened.conversation)


def draw_bottom(services: Services, user: User, opened: OpenChat) -> tuple[DeltaGenerator, DeltaGenerator]:
    """The composer, and above it the stop button while an answer is written, and what is said before sending.

    Returns the places of the button and of what is said.
    """
    file_state.stand_at(opened.id or file_state.NEW_CHAT)
    with st.bottom:
        slot = st.empty()
        if opened.live is not None:
            slot.button(
                "Stop", key="stop", icon=":material/stop_circle:", on_click=chat.stop, args=(services, opened.live)
            )
        draw_model_gone(services, opened.conversation, opened.messages)
        draw_prompts_button(services)
        draw_waiting(services, send=partial(chat.send, services, ""))
        draw_sight(services, opened.messages, choose=partial(chat.choose_model, services))
        before = draw_before_sending(services, user, opened)
    # Outside st.bottom, where it lands anyway: only then does the page follow the answer to its end.
    st.chat_input(
        "Ask anything",
        key=state.COMPOSER,
        accept_file="multiple",
        file_type=FILE_TYPES,
        max_upload_size=MOST_MEGABYTES,
        on_submit=_submit,
        args=(services,),
    )
    with st.bottom:
        st.caption(LIMITS, text_alignment="center")
    return slot, before


def draw_empty(services: Services, user: User, send: Callable[[str], None], *, temporary: bool = False) -> None:
    """What a new chat shows: a question, four ways to begin, and which model to take for what."""
    if temporary:
        draw_mark()
    else:
        draw_begin(services)
    st.space("large")
    st.subheader("What can I help with?", anchor=False)
    # Buttons and no chips that keep a value: Streamlit would hand that value to the next run again, once the chips were
    # gone, and the question would be asked a second time.
    with st.container(horizontal=True, key=_SUGGESTIONS, gap="xsmall"):
        for number, suggestion in enumerate(chat.SUGGESTIONS):
            st.button(suggestion, key=f"suggestion_{number}", on_click=_send_suggestion, args=(send, suggestion))
    draw_recommendation(services, user, choose=partial(chat.choose_model, services))


@unbroken
def _open_new() -> None:
    do_unless_earlier(_NEW_CHAT, partial(state.open_conversation, None))


def _begin_anew() -> None:
    state.open_conversation(None)
    file_state.stand_at(file_state.NEW_CHAT)


@unbroken
def _submit(services: Services) -> None:
    if state.conversation_id() is not None or state.temporary_chat() is not None:
        do_earlier(_NEW_CHAT, _begin_anew)
    typed = st.session_state[state.COMPOSER]
    text, files = (typed.text, typed.files) if typed else ("", ())
    if files and state.temporary_chat():
        state.keep_draft(text)
        state.leave_notice("Files are stored, so they cannot be sent in a temporary chat. Start an ordinary chat.")
    elif files and current_user(services) and (problems := once("files", partial(receive, services, files))):
        # Nothing is sent without a file that was meant to go with it.
        state.keep_draft(text)
        state.leave_notice(" ".join(problems))
    else:
        chat.send(services, text)


@unbroken
def _send_suggestion(send: Callable[[str], None], suggestion: str) -> None:
    # Only what stands on an empty page is a suggestion for it.
    if state.conversation_id() is None:
        send(suggestion)
