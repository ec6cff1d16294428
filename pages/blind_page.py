"""Blind votes: one prompt to two hidden models; their names, speeds and costs after the vote."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFound
from ui import blind
from ui.arena_links import draw_arena_links
from ui.auth import require_user
from ui.blind_view import draw_answers, draw_composer, draw_intro, draw_question, draw_stop, draw_switch, draw_vote_bar
from ui.compare_stream import draw_all
from ui.errors import draw_error
from ui.runtime import get_services

user = require_user()
services = get_services()

st.subheader("Blind votes", anchor=False)
draw_arena_links()
if user.is_admin:
    draw_switch(services)
try:
    opened = blind.load_open(services, user)
except NotFound as error:
    draw_error(error)
    st.button("New round", key="new_round", type="primary", on_click=blind.start_over)
    st.stop()

# Every part has its place in every run, so that nothing of an earlier run stays behind, faded.
intro_place, stop_place, answers_place, vote_place = st.container(), st.empty(), st.container(), st.empty()
draw_composer(services, opened)
with intro_place:
    draw_intro(opened)
    draw_question(opened)
draw_stop(stop_place, services, opened)
with answers_place:
    running = draw_answers(services, opened)
if running:
    said = opened.waiting
    draw_all(running)
    stop_place.empty()
    opened = blind.load_open(services, user)
    if opened.waiting != said:
        # An answer failed, and the composer, which stands above all this, speaks of a vote that cannot be cast.
        st.rerun()
draw_vote_bar(vote_place, services, opened)
