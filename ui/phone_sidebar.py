"""On a phone: choosing a page or a conversation closes the sidebar that lies over it. Streamlit leaves it open."""

from __future__ import annotations

import streamlit as st

from ui.sources import source

_close = st.components.v2.component("phone_sidebar", js=source("phone_sidebar.js"))


def draw_phone_sidebar() -> None:
    """Bring the script; in the sidebar, where it lives as long as what it listens to."""
    _close(key="phone_sidebar", data=None)
