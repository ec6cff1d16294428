"""On a phone: choosing a page or a conversation closes the sidebar that lies over it. Streamlit leaves it open."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_close = st.components.v2.component("phone_sidebar", js=Path(__file__).with_name("phone_sidebar.js").read_text("utf-8"))


def draw_phone_sidebar() -> None:
    """Bring the script; in the sidebar, where it lives as long as what it listens to."""
    _close(key="phone_sidebar", data=None)
