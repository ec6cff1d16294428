"""The sentence that a refused message leaves on the chat page, with the way on where it names one."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.bootstrap import Services
from ui import chat, formats, state
from ui.markdown import literal


def draw_notice(slot: DeltaGenerator, services: Services) -> None:
    """Draw it once. A model that still fits a budget is one click away; the message waits in the box meanwhile."""
    notice, model_id = state.take_notice(), state.take_notice_model()
    if not notice:
        return
    with slot.container():
        st.warning(literal(notice), icon=":material/error:")
        model = services.registry.current().get(model_id or "")
        if model is not None:
            st.button(
                f"Switch to {literal(formats.short_label(model.label))}",
                key="notice_switch",
                icon=":material/swap_horiz:",
                help="Chooses this model for the next message. Your message waits in the box.",
                on_click=chat.choose_model,
                args=(services, model.id),
            )
