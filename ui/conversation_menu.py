"""The menu of the open conversation: rename, pin, tag, its use case, when a model fails, share, export, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.bootstrap import Services
from core.catalog.recommend import use_cases
from core.chat.conversation import Conversation, FallbackChoice
from core.chat.organise import archive, parse_tags, pin, set_tags
from core.chat.store import delete_conversation, rename_conversation, set_fallback, set_use_case
from ui import compare_begin, state
from ui.dialogs import ask_title, close_after
from ui.exchange_view import draw_export
from ui.markdown import literal
from ui.share_view import draw_share
from ui.unbroken import unbroken
from ui.use_case import use_case_words

_FALLBACKS: dict[FallbackChoice, tuple[str, str]] = {
    "automatic": ("Let another model answer", "Up to three others are asked. The answer says which one gave it."),
    "ask": ("Ask me", "The answer waits until you choose another model."),
    "never": ("Only the chosen model", "It is tried again twice, then the error is shown."),
}


def draw_menu(services: Services, conversation: Conversation) -> None:
    """What can be done with the open conversation."""
    actions = _actions(conversation)
    choice = st.menu_button(
        "",
        list(actions),
        key="conversation_menu",
        icon=":material/more_horiz:",
        type="tertiary",
        help="Rename, pin, tag, archive, compare models, share, export or delete; say what it is for",
    )
    if choice is not None:
        actions[choice](services, conversation)


def title_line(conversation: Conversation) -> str:
    """The title of a conversation as Markdown, with its tags and whether it is archived."""
    marks = [f":gray-badge[{literal(tag)}]" for tag in conversation.tags.split()]
    if conversation.archived_at is not None:
        marks.append(":gray-badge[:material/archive: archived]")
    return " ".join([f"**{literal(conversation.title)}**", *marks])


def stop_running(services: Services, conversation_id: str) -> None:
    """End the answer that is being written in a conversation, if one is."""
    if live := services.engine.find(conversation_id):
        services.engine.stop(live)


Action = Callable[[Services, Conversation], None]


def _actions(conversation: Conversation) -> Mapping[str, Action]:
    return {
        "Rename": _rename,
        "Unpin" if conversation.pinned_at else "Pin": _pin,
        "Tags": _tag,
        "Take out of the archive" if conversation.archived_at else "Archive": _archive,
        "What it is for": _choose_use_case,
        "When a model fails": _choose_fallback,
        "Try with three models": _compare,
        "Share": draw_share,
        "Export": draw_export,
        "Delete": _delete,
    }


def _pin(services: Services, conversation: Conversation) -> None:
    pinned = conversation.pinned_at is None
    pin(services.database, conversation_ids=[conversation.id], user_id=conversation.user_id, pinned=pinned)
    st.rerun()


def _archive(services: Services, conversation: Conversation) -> None:
    archived = conversation.archived_at is None
    archive(services.database, conversation_ids=[conversation.id], user_id=conversation.user_id, archived=archived)
    st.rerun()


def _compare(services: Services, conversation: Conversation) -> None:
    compare_begin.try_with_three(services, conversation.id)
    compare_begin.open_if_wanted()


def _delete(services: Services, conversation: Conversation) -> None:
    _delete_and_leave(services, conversation)
    st.rerun()


@unbroken
def _delete_and_leave(services: Services, conversation: Conversation) -> None:
    stop_running(services, conversation.id)
    delete_conversation(services.database, conversation_id=conversation.id, user_id=conversation.user_id)
    state.offer_undo([conversation.id], conversation.title)
    state.open_conversation(None)


def _rename(services: Services, conversation: Conversation) -> None:
    def rename(title: str) -> None:
        about = {"conversation_id": conversation.id, "user_id": conversation.user_id}
        rename_conversation(services.database, **about, title=title)

    ask_title(services, "conversation", conversation.title, rename)


@st.dialog("Tags")
def _tag(services: Services, conversation: Conversation) -> None:
    with st.form("tags", border=False):
        typed = st.text_input(
            "Tags, separated by commas",
            value=", ".join(conversation.tags.split()),
            placeholder="work, travel",
            help="The search finds them with tag:work.",
        )
        saved = st.form_submit_button("Save", type="primary")
    if saved:
        close_after(
            services,
            lambda: set_tags(
                services.database,
                conversation_id=conversation.id,
                user_id=conversation.user_id,
                tags=parse_tags(typed),
            ),
        )


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
    if saved and choice:
        close_after(
            services,
            lambda: set_fallback(
                services.database, conversation_id=conversation.id, user_id=conversation.user_id, fallback=choice
            ),
        )


@st.dialog("What it is for")
def _choose_use_case(services: Services, conversation: Conversation) -> None:
    known = use_cases(services.registry.current().models)
    names = list(dict.fromkeys(["", *known, conversation.use_case or ""]))
    with st.form("conversation_use_case", border=False):
        choice = st.radio(
            "This conversation is for",
            names,
            index=names.index(conversation.use_case or ""),
            format_func=use_case_words,
            help="What is asked from now on, and every thumb in it, counts for this in recommendations. It was chosen "
            "when the chat began, or guessed from what was typed.",
        )
        saved = st.form_submit_button("Save", type="primary")
    if saved and choice is not None:
        close_after(
            services,
            lambda: set_use_case(
                services.database, conversation_id=conversation.id, user_id=conversation.user_id, use_case=choice
            ),
        )
