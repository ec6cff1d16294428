"""Why was it good, why was it bad: one optional line, under the answer that was just rated."""

from __future__ import annotations

import streamlit as st

from core.bootstrap import Services
from core.chat.conversation import Message
from core.chat.feedback import REASON_LIMIT
from ui import message_changes as changes
from ui import message_state


def draw_reason(services: Services, chat_id: str, message: Message) -> None:
    """Ask for the reason of a rating, if this answer was just rated."""
    if message_state.reason_asked() != message.id:
        return
    thumb = changes.thumbs(services, chat_id).get(message.id, 0)
    rated = changes.Rated(conversation_id=chat_id, message_id=message.id, thumb=thumb)
    key = f"reason_{message.id}"
    question = "What was good about it?" if thumb > 0 else "What was wrong with it?"
    with st.form(f"why_{message.id}", border=False):
        st.text_input(f"{question} Optional", key=key, max_chars=REASON_LIMIT)
        with st.container(horizontal=True):
            st.form_submit_button(
                "Save",
                key=f"save_reason_{message.id}",
                on_click=changes.keep_reason,
                args=(services, rated, key),
            )
            st.form_submit_button(
                "Skip", key=f"skip_reason_{message.id}", on_click=message_state.ask_reason, args=(None,)
            )
