"""Deleted conversations, to bring back while they can be."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.conversation import Conversation
from core.chat.organise import list_deleted, restore_conversations
from core.chat.purge import KEPT_DAYS
from ui import state
from ui.auth import current_user
from ui.conversation_list import day_words
from ui.markdown import literal
from ui.unbroken import unbroken

STAYS = f"What is deleted can be brought back for {KEPT_DAYS} days. Then it is removed for good, with its files."


def draw_deleted(services: Services, user: User) -> None:
    """The deleted conversations, the last one first, each with the way back."""
    st.caption(STAYS)
    limit = state.found_conversations()
    deleted = list_deleted(services.database, user_id=user.id, limit=limit + 1)
    if not deleted:
        st.caption("Nothing is deleted.")
    with st.container(key="deleted_conversations", gap=None):
        for conversation in deleted[:limit]:
            _draw_row(services, conversation)
    if len(deleted) > limit:
        st.button("Show more", key="more_deleted", type="tertiary", on_click=state.find_more_conversations)


def _draw_row(services: Services, conversation: Conversation) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        st.markdown(literal(conversation.title), width="stretch", wrap=False)
        if conversation.deleted_at is not None:
            st.caption(day_words(conversation.deleted_at), width="content")
        st.button(
            "Bring back",
            key=f"bring_back_{conversation.id}",
            icon=":material/restore_from_trash:",
            type="tertiary",
            on_click=_bring_back,
            args=(services, [conversation.id]),
        )


@unbroken
def _bring_back(services: Services, conversation_ids: Sequence[str]) -> None:
    user = current_user(services)
    if user is not None:
        restore_conversations(services.database, conversation_ids=conversation_ids, user_id=user.id)
        state.drop_undo()
