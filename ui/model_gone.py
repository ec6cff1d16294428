"""What a conversation says when its own model can no longer be chosen: the successor is named, nothing changes yet."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.chat.conversation import Conversation, Message
from ui import state
from ui.auth import current_user
from ui.markdown import literal


def draw_model_gone(services: Services, conversation: Conversation | None, messages: Sequence[Message]) -> None:
    """A line above the composer while the selector shows another model than the conversation's own, which is gone.

    Draw it after the selector. The conversation keeps its model until something is sent.
    """
    state.note_successor(None)
    active = state.active_model()
    if conversation is None or conversation.model_id is None or active in {None, conversation.model_id}:
        return
    own, models, user = conversation.model_id, services.registry.current().models, current_user(services)
    successor = models.get(active or "")
    if user is None or successor is None or own in services.offered_models(user):
        return
    state.note_successor(conversation.id)
    st.caption(
        f":material/info: {literal(_what_happened(models.get(own), own, messages))} Your next message goes to "
        f"**{literal(successor.label)}**, unless you choose another model. Nothing changes until you send."
    )


def _what_happened(model: ModelSpec | None, model_id: str, messages: Sequence[Message]) -> str:
    if model is None:
        return f"{_name_in(messages, model_id)} is no longer offered."
    return f"{model.label} is not open to you." if model.enabled else f"{model.label} is switched off."


def _name_in(messages: Sequence[Message], model_id: str) -> str:
    """What the model was called when it answered last; its id when it never did."""
    labels = (
        message.model_label
        for message in reversed(messages)
        if message.model_label and model_id in {message.served_model, message.requested_model}
    )
    return next(labels, model_id)
