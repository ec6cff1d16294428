"""Compare: one prompt to several models, side by side; merge their answers, or go on with one of them."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFound
from ui import compare, compare_state
from ui.arena_links import draw_arena_links
from ui.auth import require_user
from ui.compare_columns import bring_joined, draw_columns, draw_merges, draw_prompt, prompt_frame
from ui.compare_diff import draw_difference
from ui.compare_follow import caught_up, follow
from ui.compare_header import draw_header
from ui.compare_merge import draw_merge
from ui.compare_stream import draw_all
from ui.compare_view import (
    draw_bottom,
    draw_empty,
    draw_origin,
    draw_sidebar,
    history_of,
    keep_draft,
    leave_for_chat,
)
from ui.errors import draw_error
from ui.found_message import draw_pointer
from ui.message_actions import draw_hub
from ui.runtime import get_services

user = require_user()
services = get_services()

leave_for_chat()
draw_sidebar(services, user)
draw_arena_links()
try:
    opened = compare.load_open(services, user)
except NotFound as error:
    draw_error(error)
    st.button("New comparison", key="start_over", type="primary", on_click=compare_state.open_comparison, args=(None,))
    st.stop()

# Every part has its place in every run, as on the chat page: nothing of an earlier run stays behind, faded. Another
# comparison is drawn in another place: what the one before left would show until this one's answers have ended.
sides = st.empty(), st.empty()
with sides[compare_state.side_for(opened.comparison.id if opened.comparison else None)].container():
    places = [st.container() for _ in range(7)]
header_place, origin_place, prompt_place, columns_place, merges_place, merge_place, empty_place = places
history = history_of(services, user, opened)
with header_place:
    draw_header(services, user, opened, history)
stop_slot = draw_bottom(services, user, opened, history)
with origin_place:
    draw_origin(opened, history)
if opened.comparison is None and opened.origin is None:
    with empty_place:
        draw_empty(services)
draw_hub()
keep_draft(user, opened)
if opened.prompt is not None:
    with prompt_place, prompt_frame(opened):
        draw_prompt(opened.prompt)
with columns_place:
    running = draw_columns(services, opened)
with merges_place:
    running += draw_merges(services, opened)
    draw_pointer(compare_state.pointed_out())
    bring_joined(opened)
draw_difference(services, opened)
follow(services, opened)
if running:
    draw_all(running)
    stop_slot.empty()
    opened = compare.load_open(services, user)
    if opened.comparison is not None:
        caught_up(services, opened.comparison)
with merge_place:
    draw_merge(services, user, opened)
