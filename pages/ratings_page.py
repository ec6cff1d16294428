"""Ratings: which model the team prefers, from its blind votes."""

from __future__ import annotations

import streamlit as st

from ui.arena_links import draw_arena_links
from ui.auth import require_user
from ui.ratings_view import draw_ratings
from ui.runtime import get_services

user = require_user()
services = get_services()

st.subheader("Ratings", anchor=False)
draw_arena_links()
draw_ratings(services)
