"""Chat: talk to any model, change model in the middle, see what every answer took."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import NotFound
from ui import chat, state
from ui.auth import require_user
from ui.before_sending import refresh
from ui.chat_view import draw_bottom, draw_empty, draw_header, draw_sidebar
from ui.compare_begin import open_if_wanted
from ui.drafts import keep_drafts
from ui.errors import draw_error
from ui.follow import caught_up, follow
from ui.instead import offer_instead
from ui.message_actions import draw_below, draw_dialog, draw_editor, draw_hub, draw_undo
from ui.notice import draw_notice
from ui.runtime import get_services
from ui.transcript import draw_history, draw_live_answer, draw_ways_on, reserve_answer

user = require_user()
services = get_services()

open_if_wanted()

try:
    opened = chat.load_chat(services, user)
except NotFound as error:
    draw_sidebar(services, user, chat.OpenChat())
    draw_error(error)
    st.button("New chat", key="start_over", type="primary", on_click=state.open_conversation, args=(None,))
    st.stop()

draw_sidebar(services, user, opened)
stop_slot, before_slot = draw_bottom(services, user, opened)
# Every part has its place in every run. What a run leaves empty is then gone at once; elsewhere Streamlit would show
# the part of the run before, faded, until this run ends, and it lasts as long as the answer.
empty_slot, header_place, history_place = st.empty(), st.container(), st.container()
again_slot, notice_slot, undo_slot = st.empty(), st.empty(), st.empty()
with header_place:
    draw_header(services, opened)
if opened.is_empty:
    with empty_slot.container():
        draw_empty(services, user, partial(chat.send, services), temporary=opened.temporary is not None)
label, below = partial(chat.label_of, services), partial(draw_below, services, opened)
draw_hub()
keep_drafts(user)
follow(services, opened)
with history_place:
    draw_history(opened.messages, label=label, actions=below, edit=partial(draw_editor, services))
    frame = reserve_answer() if opened.live else None
last = opened.messages[-1] if opened.messages else None
draw_notice(notice_slot, services)
draw_undo(undo_slot, services, opened)
draw_dialog(services, user, opened)
if opened.live and frame:
    load = partial(chat.load_answer, services)
    last = draw_live_answer(opened.live, frame, load=load, label=label, actions=below, goes_on=opened.goes_on)
    stop_slot.empty()
    refresh(before_slot, services, user, opened, last)
    caught_up(services, opened)
    # What it said was about the answer that has ended.
    notice_slot.empty()
if last is not None:
    draw_ways_on(
        again_slot,
        last,
        partial(chat.answer_again, services),
        go_on=partial(chat.go_on, services),
        offer=partial(offer_instead, services, user, opened),
    )
