"""Dialogs that are asked for in more than one place."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.bootstrap import Services
from core.errors import SwitchboardError
from ui.auth import current_user
from ui.markdown import literal


def close_after(services: Services, work: Callable[[], None]) -> None:
    """Do what a dialog is for and close it; what is refused is said in it."""
    # A dialog's run does not pass the gate of app.py.
    if current_user(services) is None:
        return
    try:
        work()
    except SwitchboardError as error:
        st.error(literal(str(error)))
    else:
        st.rerun()


def ask_title(services: Services, what: str, title: str, rename: Callable[[str], None]) -> None:
    """Open the dialog that gives something, a "conversation" say, another title."""
    st.dialog(f"Rename {what}")(_draw_title)(services, title, rename)


def _draw_title(services: Services, title: str, rename: Callable[[str], None]) -> None:
    with st.form("rename", border=False):
        typed = st.text_input("Title", value=title, max_chars=200)
        saved = st.form_submit_button("Save", type="primary")
    if saved:
        close_after(services, lambda: rename(typed))
