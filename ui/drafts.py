"""The composer's draft, per conversation: it survives other conversations, other pages and a reload of the tab.

Streamlit keeps what stands in a chat input in the browser alone and forgets it with the page. A component of ours
(drafts.js) keeps it in the tab's own storage, which nobody else reads and which goes with the tab.
"""

from __future__ import annotations

import streamlit as st

from core.accounts.users import User
from ui import message_state, state
from ui.sources import source

_KEY = "drafts"
_keep = st.components.v2.component("drafts", js=source("drafts.js"))


def keep_drafts(user: User) -> None:
    """Keep what is typed for the open conversation, and bring back what was."""
    conversation_id = state.conversation_id()
    new_chat = f"{user.id} new"
    begun = conversation_id == message_state.begun() and conversation_id
    keep_draft_of(
        new_chat if conversation_id is None else f"{user.id} {conversation_id}", begun_from=new_chat if begun else None
    )


def keep_draft_of(scope: str, *, begun_from: str | None = None, text: str | None = None) -> None:
    """Keep what is typed under a name; what was typed at `begun_from`, where this one began, goes with it.

    `text` is to stand in the box, once: what another page puts there is gone with that page.
    """
    _keep(key=_KEY, data={"scope": scope, "from": begun_from, "text": text})
