"""Two tabs on one conversation: what one does, the other draws a moment later.

A fragment looks every two seconds whether the branch on show, the running turn or the title differs from what this tab
drew, and draws the page again only then.
"""

from __future__ import annotations

import streamlit as st

from core.bootstrap import Services
from core.chat.conversation import Conversation
from core.chat.store import load_conversation
from core.errors import NotFound
from ui import message_state
from ui.chat import OpenChat
from ui.message_state import Seen

_EVERY_S = 2


def follow(services: Services, opened: OpenChat) -> None:
    """Keep this tab at what the open conversation shows elsewhere."""
    if opened.conversation is None:
        return
    turn = opened.live.ids.turn if opened.live else None
    message_state.note_seen(opened.conversation.leaf_message_id, turn, opened.conversation.title)
    _watch(services, opened.conversation)


def caught_up(services: Services, opened: OpenChat) -> None:
    """Say that this tab has drawn its running answer to the end."""
    if opened.conversation is not None:
        leaf, turn, _ = _now(services, opened.conversation)
        # The title is the one that was drawn: a better one may have come meanwhile.
        message_state.note_seen(leaf, turn, opened.conversation.title)


@st.fragment(run_every=_EVERY_S)
def _watch(services: Services, conversation: Conversation) -> None:
    # The run that draws the page has just read all of it.
    if message_state.take_fresh():
        return
    if _now(services, conversation) != message_state.seen():
        st.rerun()


def _now(services: Services, conversation: Conversation) -> Seen:
    live = services.engine.find(conversation.id)
    try:
        stored = load_conversation(services.database, conversation_id=conversation.id, user_id=conversation.user_id)
    except NotFound:
        return None, None, ""
    return stored.leaf_message_id, live.ids.turn if live else None, stored.title
