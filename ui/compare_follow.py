"""Two tabs on one comparison: what one does, the other draws a moment later (as ui.follow does for a chat)."""

from __future__ import annotations

import streamlit as st

from core.arena.comparison import Comparison, load_comparison
from core.bootstrap import Services
from core.errors import NotFound
from ui import compare_state
from ui.compare import OpenComparison, column_signature

_EVERY_S = 2
_FRESH = "compare_just_drawn"


def follow(services: Services, opened: OpenComparison) -> None:
    """Keep this tab at what the open comparison shows elsewhere."""
    if opened.comparison is None:
        return
    caught_up(services, opened.comparison)
    st.session_state[_FRESH] = True
    _watch(services, opened.comparison.id, opened.comparison.user_id)


def caught_up(services: Services, comparison: Comparison) -> None:
    """Say that this tab has drawn all there is now."""
    try:
        now = load_comparison(services.database, comparison_id=comparison.id, user_id=comparison.user_id)
        compare_state.note_seen(column_signature(services, now))
    except NotFound:
        compare_state.note_seen([])


@st.fragment(run_every=_EVERY_S)
def _watch(services: Services, comparison_id: str, user_id: str) -> None:
    # The run that draws the page has just read all of it.
    if st.session_state.pop(_FRESH, False):
        return
    try:
        now = load_comparison(services.database, comparison_id=comparison_id, user_id=user_id)
        seen = column_signature(services, now)
    except NotFound:
        seen = []
    if list(seen) != list(compare_state.seen()):
        st.rerun()
