"""Conversations to open or to tick, and what can be done with the ticked ones together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.conversation import Conversation
from core.chat.organise import add_tags, archive, delete_conversations, parse_tags, pin
from core.errors import SwitchboardError
from ui import state
from ui.auth import current_user
from ui.conversation_list import CHAT_PAGE, day_words
from ui.conversation_menu import stop_running
from ui.markdown import literal
from ui.unbroken import once, unbroken

_TAG = "tag_ticked"
_ALL = "tick_all"

# What is done with the ids of the ticked conversations of a person.
Work = Callable[[User, Sequence[str]], None]


def draw_conversation_rows(services: Services, conversations: Sequence[Conversation]) -> None:
    """The conversations in the order given, with a box to tick each and the actions for the ticked ones."""
    if not conversations:
        return
    listed = [conversation.id for conversation in conversations]
    ticked = [conversation for conversation in conversations if st.session_state.get(_tick_key(conversation.id))]
    _draw_actions(services, listed, ticked)
    running = services.engine.running()
    with st.container(key="found_conversations", gap=None):
        for conversation in conversations:
            _draw_row(conversation, running=conversation.id in running)


def _draw_row(conversation: Conversation, *, running: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        st.checkbox(f"Tick {literal(conversation.title)}", key=_tick_key(conversation.id), label_visibility="collapsed")
        marks = [":material/keep:"] if conversation.pinned_at else []
        marks += [":material/archive:"] if conversation.archived_at else []
        opened = st.button(
            " ".join([*marks, literal(conversation.title)]),
            key=f"found_{conversation.id}",
            type="tertiary",
            icon=":material/pending:" if running else None,
            width="stretch",
            wrap=False,
        )
        tags = "".join(f" :gray-badge[{literal(tag)}]" for tag in conversation.tags.split())
        st.caption(f"{tags} {day_words(conversation.updated_at)}", width="content")
    if opened:
        state.open_conversation(conversation.id)
        st.switch_page(CHAT_PAGE, query_params={"c": conversation.id})


def _draw_actions(services: Services, listed: Sequence[str], ticked: Sequence[Conversation]) -> None:
    ids = [conversation.id for conversation in ticked]
    pinned = bool(ticked) and all(conversation.pinned_at for conversation in ticked)
    archived = bool(ticked) and all(conversation.archived_at for conversation in ticked)
    with st.container(horizontal=True, vertical_alignment="center", key="found_actions", gap="xsmall"):
        st.button(
            "Tick none" if ids else "Tick all",
            key=_ALL,
            type="tertiary",
            on_click=_tick,
            args=(listed,),
            kwargs={"ticked": not ids},
        )
        if not ids:
            return
        _action(services, ids, "Unpin" if pinned else "Pin", ":material/keep:", _pin(services, pinned=not pinned))
        _action(
            services,
            ids,
            "Take out" if archived else "Archive",
            ":material/unarchive:" if archived else ":material/archive:",
            _archive(services, archived=not archived),
        )
        _draw_tag_form(services, ids)
        _action(services, ids, "Delete", ":material/delete:", _delete(services, ticked))
        st.caption(f"{len(ids)} ticked")


def _draw_tag_form(services: Services, ids: Sequence[str]) -> None:
    with st.popover("Tag", icon=":material/sell:", type="tertiary"), st.form("tag_ticked_form", border=False):
        st.text_input("Tags to add, separated by commas", key=_TAG, placeholder="work, travel")
        st.form_submit_button("Add", type="primary", on_click=_do, args=(services, ids, _add_tags(services)))


def _action(services: Services, ids: Sequence[str], label: str, icon: str, work: Work) -> None:
    st.button(
        label,
        key=f"ticked_{label.lower().replace(' ', '_')}",
        icon=icon,
        type="tertiary",
        on_click=_do,
        args=(services, ids, work),
    )


@unbroken
def _do(services: Services, ids: Sequence[str], work: Work) -> None:
    user = current_user(services)
    if user is None:
        return
    try:
        once("work", lambda: work(user, ids))
    except SwitchboardError as error:
        state.leave_notice(str(error))
    else:
        _tick(ids, ticked=False)


def _pin(services: Services, *, pinned: bool) -> Work:
    return lambda user, ids: pin(services.database, conversation_ids=ids, user_id=user.id, pinned=pinned)


def _archive(services: Services, *, archived: bool) -> Work:
    return lambda user, ids: archive(services.database, conversation_ids=ids, user_id=user.id, archived=archived)


def _add_tags(services: Services) -> Work:
    def work(user: User, ids: Sequence[str]) -> None:
        tags = parse_tags(st.session_state[_TAG])
        add_tags(services.database, conversation_ids=ids, user_id=user.id, tags=tags)
        st.session_state[_TAG] = ""

    return work


def _delete(services: Services, ticked: Sequence[Conversation]) -> Work:
    def work(user: User, ids: Sequence[str]) -> None:
        for conversation_id in ids:
            stop_running(services, conversation_id)
        delete_conversations(services.database, conversation_ids=ids, user_id=user.id)
        state.offer_undo(ids, ticked[0].title if len(ids) == 1 else f"{len(ids)} conversations")
        if state.opened() in ids:
            state.open_conversation(None)

    return work


@unbroken
def _tick(conversation_ids: Sequence[str], *, ticked: bool) -> None:
    for conversation_id in conversation_ids:
        st.session_state[_tick_key(conversation_id)] = ticked


def _tick_key(conversation_id: str) -> str:
    return f"tick_{conversation_id}"
