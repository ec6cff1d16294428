"""Errors in plain words: what happened, what was kept, what to do; the technical text behind a disclosure."""

from __future__ import annotations

import streamlit as st

from core.chat.conversation import Message
from core.errors import SwitchboardError
from ui.markdown import literal


def draw_error(error: SwitchboardError) -> None:
    """An error as a box on the page."""
    st.error(literal(str(error)), icon=":material/error:")
    _draw_detail(error.detail)


def draw_uncaught(error: Exception) -> bool:
    """Draw an error of ours that nobody caught, and return whether it was one; others Streamlit shows in its own way.

    Such an error is that the store cannot be reached, before there is a page to say it on.
    """
    if not isinstance(error, SwitchboardError):
        return False
    draw_error(error)
    return True


def draw_message_error(message: Message) -> None:
    """Why an answer is missing or incomplete, if it is."""
    if message.error_message:
        st.warning(literal(message.error_message), icon=":material/error:")
        _draw_detail(message.error_detail)


def _draw_detail(detail: str | None) -> None:
    if detail:
        with st.expander("Technical details", type="compact"):
            st.code(detail, language=None, wrap_lines=True)
