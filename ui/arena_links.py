"""The ways between the pages that compare models."""

from __future__ import annotations

import streamlit as st

_PAGES = (
    ("pages/compare_page.py", "Side by side", ":material/view_column:"),
    ("pages/blind_page.py", "Blind votes", ":material/visibility_off:"),
    ("pages/ratings_page.py", "Ratings", ":material/leaderboard:"),
    ("pages/prompt_sets_page.py", "Prompt sets", ":material/checklist:"),
)


def draw_arena_links() -> None:
    """A quiet row of links; the open page is marked."""
    with st.container(horizontal=True, key="arena_links", gap="small"):
        for path, title, icon in _PAGES:
            st.page_link(path, label=title, icon=icon, width="content")
