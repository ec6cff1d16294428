"""While the demo is in the store, every page says so."""

from __future__ import annotations

import streamlit as st

from core.bootstrap import Services


def draw_demo_banner(services: Services) -> None:
    """A quiet line above the page; nothing in a store without the demo."""
    if services.demo:
        st.caption(
            ":material/science: Demo data: these people, conversations and costs are made up. "
            "`python -m core demo --remove` takes them out.",
        )
