"""How a cost page is looked at (tab, grouping, measure): kept in the address beside the filter, and for the tab."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

_KEPT = "costs_view"


def seed(name: str, key: str, options: Sequence[str], *, default: str) -> None:
    """Set a widget to be drawn to what the address says, else to what it was the last time in this browser tab."""
    if st.session_state.get(key) in options:
        return
    asked = st.query_params.get(name) or st.session_state.get(_KEPT, {}).get(name)
    st.session_state[key] = asked if asked in options else default


def keep(name: str, key: str, *, default: str) -> str:
    """Put what a widget says into the address; the default needs no word there."""
    value: str = st.session_state.get(key) or default
    st.session_state[_KEPT] = {**st.session_state.get(_KEPT, {}), name: value}
    if value == default:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
    return value
