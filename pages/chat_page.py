"""Chat: talk to any model, change model in the middle, see what every answer took."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import NotFound
from ui import chat, state
from ui.auth import require_user
from ui.chat_view import draw_bottom, draw_empty, draw_header, draw_sidebar
from ui.errors import draw_error
from ui.markdown import literal
from ui.runtime import get_services
from ui.transcript import draw_history, draw_live_answer, draw_try_again, reserve_answer

user = require_user()
services = get_services()

try:
    opened = chat.load_chat(services, user)
except NotFound as error:
    draw_sidebar(services, user, chat.OpenChat())
    draw_error(error)
    st.button("New chat", key="start_over", type="primary", on_click=state.open_conversation, args=(None,))
    st.stop()

draw_sidebar(services, user, opened)
stop_slot = draw_bottom(services, opened)
draw_header(services, opened)
if opened.conversation is None:
    draw_empty(services, user, partial(chat.send, services))
label = partial(chat.label_of, services)
draw_history(opened.messages, label=label)
last = opened.messages[-1] if opened.messages else None
frame = reserve_answer() if opened.live else None
again_slot, notice_slot = st.empty(), st.empty()
if notice := state.take_notice():
    notice_slot.warning(literal(notice), icon=":material/error:")
if opened.live and frame:
    last = draw_live_answer(opened.live, frame, load=partial(chat.load_answer, services), label=label)
    stop_slot.empty()
if last is not None:
    offer = partial(chat.offer_instead, services, user, opened)
    draw_try_again(again_slot, last, partial(chat.answer_again, services), offer=offer)
