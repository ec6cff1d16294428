"""How close together the messages of a chat stand, as the person prefers it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.accounts.preferences import (
    Density,
    density_in_force,
    load_preferences,
    load_team_defaults,
    read_preferences,
)
from core.accounts.users import User
from core.bootstrap import Services

# (user, density): read once per session, and again when somebody else signs in or another one is chosen.
_KEPT = "density"
_COMPACT = Path(__file__).with_name("compact.css")


def follow_density(services: Services, user: User) -> None:
    """Draw this page as close together as its person prefers."""
    if st.session_state.get(_KEPT, ("",))[0] != user.id:
        mine = read_preferences(load_preferences(services.database, user.id))
        team = read_preferences(load_team_defaults(services.database))
        st.session_state[_KEPT] = (user.id, density_in_force(mine, team))
    density: Density = st.session_state[_KEPT][1]
    if density == "compact":
        st.html(_COMPACT)


def forget_density() -> None:
    """Read it again in the next run: another one was chosen."""
    st.session_state.pop(_KEPT, None)
