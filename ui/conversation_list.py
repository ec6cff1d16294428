"""The conversations of the signed-in person in the sidebar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

import streamlit as st

from core.bootstrap import Services
from core.chat.conversation import Conversation
from core.chat.organise import restore_conversations
from core.chat.store import list_conversations
from core.clock import utc_now
from ui import state
from ui.auth import current_user
from ui.markdown import literal
from ui.times import local_time, viewer_zone
from ui.unbroken import unbroken

CHAT_PAGE = "pages/chat_page.py"
SEARCH_PAGE = "pages/search_page.py"
NEW_CHAT_SHORTCUT = "mod+shift+o"

_MORE = 50
_WEEK_DAYS = 7
_TITLE_ON_SHOW = 34


def draw_conversations(services: Services, *, user_id: str) -> None:
    """The pinned ones, then the others by day, newest first, with the running ones marked."""
    limit = state.listed_conversations()
    found = list_conversations(services.database, user_id=user_id, limit=limit + 1)
    draw_undo(services, user_id)
    if not found:
        st.caption("Your conversations will be listed here.")
    running = services.engine.running()
    opened = state.conversation_id()
    with st.container(key="conversations", gap=None):
        for heading, conversations in by_day(found[:limit]):
            st.caption(heading)
            for conversation in conversations:
                is_open = conversation.id == opened
                # The open one says so itself, and its mark would outlast the answer until the next run.
                _draw_row(conversation, opened=is_open, running=conversation.id in running and not is_open)
    if len(found) > limit:
        st.button("Show older", key="older", type="tertiary", on_click=state.list_more_conversations, args=(_MORE,))


def draw_new_chat_button() -> None:
    """The way to a new chat, by its key too, from every page but the chat's own."""
    if st.button(
        "New chat", key="new_chat", icon=":material/edit_square:", width="stretch", shortcut=NEW_CHAT_SHORTCUT
    ):
        state.open_conversation(None)
        st.switch_page(CHAT_PAGE)


def draw_search_button() -> None:
    """The way to the page that finds conversations and keeps them in order."""
    if st.button("Search", key="open_search", icon=":material/search:", width="stretch", shortcut="mod+k"):
        st.switch_page(SEARCH_PAGE)


def draw_undo(services: Services, user_id: str) -> None:
    """The offer to bring back what was just deleted, while it stands."""
    if offered := state.undo():
        conversations, what = offered
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.caption(f"Deleted {literal(_shortened(what))}", width="stretch")
            st.button("Undo", key="undo", type="tertiary", on_click=_undo, args=(services, conversations, user_id))


def by_day(conversations: Sequence[Conversation]) -> Iterator[tuple[str, Iterator[Conversation]]]:
    """The conversations under their headings; they have to come pinned first and then by their last use."""
    zone = viewer_zone()
    now = local_time(utc_now(), zone)

    def heading(found: Conversation) -> str:
        return "Pinned" if found.pinned_at else day_heading(local_time(found.updated_at, zone), now=now)

    return groupby(conversations, key=heading)


def day_heading(moment: datetime, *, now: datetime) -> str:
    """The heading of a day: "Today", "Yesterday", "Previous 7 days" or "Older"."""
    days = (now.date() - moment.date()).days
    if days <= 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    return "Previous 7 days" if days <= _WEEK_DAYS else "Older"


def day_words(moment: datetime) -> str:
    """A stored moment as the viewer says it: the time today, else the day, with the year if it is another one."""
    zone = viewer_zone()
    local, now = local_time(moment, zone), local_time(utc_now(), zone)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" if local.year == now.year else f"{local.day} {local:%b %Y}"


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


@unbroken
def _undo(services: Services, conversations: Sequence[str], user_id: str) -> None:
    if current_user(services) is None:
        return
    restore_conversations(services.database, conversation_ids=conversations, user_id=user_id)
    state.drop_undo()
    if len(conversations) == 1:
        state.open_conversation(conversations[0])


def _shortened(title: str) -> str:
    return title if len(title) <= _TITLE_ON_SHOW else f"{title[: _TITLE_ON_SHOW - 1]}…"
