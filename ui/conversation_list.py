"""The conversations of the signed-in person in the sidebar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

import streamlit as st

from core.bootstrap import Services
from core.chat.conversation import Conversation, FallbackChoice
from core.chat.store import (
    delete_conversation,
    list_conversations,
    rename_conversation,
    restore_conversation,
    set_fallback,
)
from core.clock import utc_now
from core.errors import SwitchboardError
from ui import state
from ui.auth import current_user
from ui.markdown import literal
from ui.times import local_time, viewer_zone

_FALLBACKS: dict[FallbackChoice, tuple[str, str]] = {
    "automatic": ("Let another model answer", "Up to three others are asked. The answer says which one gave it."),
    "ask": ("Ask me", "The answer waits until you choose another model."),
    "never": ("Only the chosen model", "It is tried again twice, then the error is shown."),
}
_MORE = 50
_WEEK_DAYS = 7
_TITLE_ON_SHOW = 34


def draw_conversations(services: Services, *, user_id: str) -> None:
    """The list, newest first, grouped by day, with the running ones marked."""
    limit = state.listed_conversations()
    found = list_conversations(services.database, user_id=user_id, limit=limit + 1)
    _draw_undo(services, user_id)
    if not found:
        st.caption("Your conversations will be listed here.")
    running = services.engine.running()
    opened = state.conversation_id()
    with st.container(key="conversations", gap=None):
        for heading, conversations in _by_day(found[:limit]):
            st.caption(heading)
            for conversation in conversations:
                is_open = conversation.id == opened
                # The open one says so itself, and its mark would outlast the answer until the next run.
                _draw_row(conversation, opened=is_open, running=conversation.id in running and not is_open)
    if len(found) > limit:
        st.button("Show older", key="older", type="tertiary", on_click=state.list_more_conversations, args=(_MORE,))


def draw_menu(services: Services, conversation: Conversation) -> None:
    """Rename, what to do when a model fails, and delete for the open conversation."""
    choice = st.menu_button(
        "",
        ["Rename", "When a model fails", "Delete"],
        key="conversation_menu",
        icon=":material/more_horiz:",
        type="tertiary",
        help="Rename this conversation, say what happens when a model fails, or delete it",
    )
    if choice == "Rename":
        _rename(services, conversation)
    elif choice == "When a model fails":
        _choose_fallback(services, conversation)
    elif choice == "Delete":
        if live := services.engine.find(conversation.id):
            services.engine.stop(live)
        delete_conversation(services.database, conversation_id=conversation.id, user_id=conversation.user_id)
        state.offer_undo(conversation.id, conversation.title)
        state.open_conversation(None)
        st.rerun()


def day_heading(moment: datetime, *, now: datetime) -> str:
    """The heading of a day: "Today", "Yesterday", "Last seven days" or "Earlier"."""
    days = (now.date() - moment.date()).days
    if days <= 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    return "Last seven days" if days <= _WEEK_DAYS else "Earlier"


@st.dialog("Rename conversation")
def _rename(services: Services, conversation: Conversation) -> None:
    with st.form("rename", border=False):
        title = st.text_input("Title", value=conversation.title, max_chars=200)
        saved = st.form_submit_button("Save", type="primary")
    # A dialog's run does not pass the gate of app.py.
    if saved and current_user(services):
        try:
            rename_conversation(
                services.database, conversation_id=conversation.id, user_id=conversation.user_id, title=title
            )
        except SwitchboardError as error:
            st.error(literal(str(error)))
        else:
            st.rerun()


@st.dialog("When a model fails")
def _choose_fallback(services: Services, conversation: Conversation) -> None:
    with st.form("fallback", border=False):
        choice = st.radio(
            "In this conversation",
            list(_FALLBACKS),
            index=list(_FALLBACKS).index(conversation.fallback),
            format_func=lambda choice: _FALLBACKS[choice][0],
            captions=[caption for _, caption in _FALLBACKS.values()],
        )
        saved = st.form_submit_button("Save", type="primary")
    # A dialog's run does not pass the gate of app.py.
    if saved and choice and current_user(services):
        set_fallback(services.database, conversation_id=conversation.id, user_id=conversation.user_id, fallback=choice)
        st.rerun()


def _draw_row(conversation: Conversation, *, opened: bool, running: bool) -> None:
    st.button(
        literal(conversation.title),
        key=f"open_{conversation.id}",
        type="secondary" if opened else "tertiary",
        icon=":material/pending:" if running else None,
        help="An answer is being written" if running else None,
        width="stretch",
        wrap=False,
        on_click=state.open_conversation,
        args=(conversation.id,),
    )


def _draw_undo(services: Services, user_id: str) -> None:
    if offered := state.undo():
        conversation, title = offered
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Deleted {literal(_shortened(title))}")
            st.button("Undo", key="undo", type="tertiary", on_click=_undo, args=(services, conversation, user_id))


def _undo(services: Services, conversation: str, user_id: str) -> None:
    if current_user(services) is None:
        return
    restore_conversation(services.database, conversation_id=conversation, user_id=user_id)
    state.drop_undo()
    state.open_conversation(conversation)


def _by_day(conversations: Sequence[Conversation]) -> Iterator[tuple[str, Iterator[Conversation]]]:
    zone = viewer_zone()
    now = local_time(utc_now(), zone)
    return groupby(conversations, key=lambda found: day_heading(local_time(found.updated_at, zone), now=now))


def _shortened(title: str) -> str:
    return title if len(title) <= _TITLE_ON_SHOW else f"{title[: _TITLE_ON_SHOW - 1]}…"
