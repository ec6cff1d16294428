"""Whether models may call tools in the open conversation, and which tools there are."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import Capability, ModelSpec
from core.chat.store import load_conversation, set_tools
from core.tools.toolbox import load_tools
from ui import echoes, state
from ui.auth import current_user
from ui.markdown import literal
from ui.unbroken import once, unbroken

_KEY = "tools_here"


def draw_tools_switch(services: Services, user: User, model: ModelSpec) -> None:
    """The switch, or a word where the model cannot; below it what each tool does."""
    if Capability.TOOLS not in model.capabilities:
        st.caption(f":material/handyman: {literal(model.label)} cannot call tools.")
        return
    echoes.show(_KEY, _on(services, user))
    st.toggle(
        "Tools",
        key=_KEY,
        help="The model may call these while it answers. They read and calculate; they change nothing and reach "
        "nothing outside this conversation. Every call of the model is counted and priced.",
        on_change=_change,
        args=(services,),
    )
    needs = {tool.label: " (with a file attached)" if tool.needs else "" for tool in load_tools()}
    st.caption(" · ".join(f"{literal(label)}{need}" for label, need in needs.items()))


def _on(services: Services, user: User) -> bool:
    conversation_id = state.conversation_id()
    if conversation_id is None:
        return state.new_chat_tools()
    return load_conversation(services.database, conversation_id=conversation_id, user_id=user.id).tools


@unbroken
def _change(services: Services) -> None:
    user, conversation_id, wanted = current_user(services), state.conversation_id(), bool(st.session_state[_KEY])
    if user is None or not echoes.is_changed(_KEY):
        return
    if conversation_id is None:
        state.set_new_chat_tools(wanted)
        return
    once(
        "tools",
        partial(set_tools, services.database, conversation_id=conversation_id, user_id=user.id, tools=wanted),
    )
