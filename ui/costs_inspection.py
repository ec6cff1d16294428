"""Somebody else's conversation behind a call, where administrators may read it."""

from __future__ import annotations

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.inspection import inspect_conversation, inspection_allowed
from core.errors import SwitchboardError
from ui.markdown import literal
from ui.share_view import draw_message

_CLOSED = (
    "This conversation belongs to somebody else, so its text is closed. Administrators may read it only where the "
    "team's settings allow that; every look is then written to the audit."
)


def draw_inspection(services: Services, user: User, conversation_id: str, *, whose: str) -> None:
    """The way to the conversation, or why there is none."""
    if not inspection_allowed(services.database, viewer=user):
        st.caption(_CLOSED)
        return
    if st.button(
        f"Read {literal(whose)}'s conversation",
        key=f"inspect_{conversation_id}",
        icon=":material/visibility:",
        help="This look is written to the audit, with your name.",
    ):
        _draw(services, user, conversation_id)


def _draw(services: Services, user: User, conversation_id: str) -> None:
    try:
        found = inspect_conversation(services.database, viewer=user, conversation_id=conversation_id)
    except SwitchboardError as error:
        st.error(literal(str(error)), icon=":material/error:")
        return
    with st.container(border=True, height=500):
        st.markdown(f"**{literal(found.conversation.title)}**")
        for message in found.messages:
            draw_message(message)
