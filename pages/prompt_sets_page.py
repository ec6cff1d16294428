"""Prompt sets: a list of prompts put to several models in the background, and judged by people or by a model."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFound
from ui import prompt_sets
from ui.arena_links import draw_arena_links
from ui.auth import require_user
from ui.errors import draw_error
from ui.prompt_sets_view import draw_list, draw_set
from ui.runtime import get_services
from ui.set_run_view import draw_run

user = require_user()
services = get_services()

st.subheader("Prompt sets", anchor=False)
draw_arena_links()
try:
    opened = prompt_sets.load_open(services, user)
except NotFound as error:
    draw_error(error)
    st.button("All sets", on_click=prompt_sets.show)
    st.stop()

if opened.run is not None:
    draw_run(services, user, opened.run)
elif opened.wanted is not None:
    draw_set(services, user, opened.wanted)
else:
    draw_list(services, user)
