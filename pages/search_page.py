"""Search: find any message, conversation or comparison, and keep conversations in order."""

from __future__ import annotations

import streamlit as st

from ui import state
from ui.auth import require_user
from ui.conversation_list import draw_undo
from ui.markdown import literal
from ui.runtime import get_services
from ui.search_view import draw_comparisons_found, draw_conversations_found, draw_messages_found, draw_query

user = require_user()
services = get_services()

st.title("Search", anchor=False)
if notice := state.take_notice():
    st.warning(literal(notice), icon=":material/error:")
query = draw_query(services, user)
draw_undo(services, user.id)
if query is not None:
    draw_conversations_found(services, user, query)
    draw_comparisons_found(services, user, query)
    draw_messages_found(services, user, query)
