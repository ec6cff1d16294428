"""How a comparison begins: which models to propose, and the way there from a chat."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.arena.comparison import Origin
from core.arena.line_ups import Entry, load_in_use
from core.bootstrap import Services
from core.catalog.choice import choose_model
from core.chat.store import load_conversation, load_messages
from core.errors import SwitchboardError
from ui import compare_state, file_state, state
from ui.advice import advised_order
from ui.auth import current_user
from ui.model_filter import rivals
from ui.unbroken import unbroken

COMPARE_PAGE = "pages/compare_page.py"


def first_line_up(services: Services, user: User) -> Sequence[Entry]:
    """The line-up to begin with: the one used last, as far as its models are offered; else three that suit."""
    offered = services.offered_models(user)
    kept = [entry for entry in load_in_use(services.database, user_id=user.id) if entry.model_id in offered]
    return kept if len(kept) > 1 else three_models(services, user, state.active_model())


def three_models(services: Services, user: User, model_id: str | None) -> Sequence[Entry]:
    """A model and up to two others that suit the same things; without one, the person's default."""
    offered = services.offered_models(user)
    statuses = {name: services.model_status(model) for name, model in offered.items()}
    preferences = read_preferences(load_preferences(services.database, user.id))
    if model_id not in offered:
        states = {name: status.state for name, status in statuses.items()}
        choice = choose_model(offered, states=states, own_default=preferences.default_model)
        model_id = choice.model_id if choice else None
    if model_id is None:
        return []
    order = advised_order(services, preferences)
    others = rivals(offered[model_id], offered, statuses, use_case=preferences.use_case, order=order)
    return [Entry(model_id=name) for name in (model_id, *others)]


@unbroken
def try_with_three(services: Services, conversation_id: str, answer_id: str | None = None) -> None:
    """Let the page of comparisons begin with a chat's history and three models; nothing is sent.

    With an answer's id its question waits in the composer, and the history ends before it.
    """
    user = current_user(services)
    if user is None:
        return
    try:
        conversation = load_conversation(services.database, conversation_id=conversation_id, user_id=user.id)
    except SwitchboardError as error:
        state.leave_notice(str(error))
        return
    at, model_id, text = conversation.leaf_message_id, state.active_model() or conversation.model_id, None
    if answer_id is not None:
        stored = load_messages(services.database, conversation=conversation, figures=False)
        messages = {message.id: message for message in stored}
        answer = messages.get(answer_id)
        question = messages.get(answer.parent_id or "") if answer else None
        if answer is None or question is None:
            return
        at, model_id = question.parent_id, answer.served_model or model_id
        text = question.content
        file_state.set_waiting(question.attachments, place=file_state.NEW_COMPARISON)
    origin = Origin(conversation_id=conversation_id, message_id=at)
    compare_state.begin_from(origin, three_models(services, user, model_id), text=text)
    compare_state.ask_to_open()


def open_if_wanted() -> None:
    """Switch to the page of comparisons, if a chat is to be tried with several models."""
    if compare_state.take_wanted():
        origin = compare_state.origin()
        asked = {"from": origin.conversation_id, "at": origin.message_id} if origin else {}
        st.switch_page(COMPARE_PAGE, query_params={name: value for name, value in asked.items() if value})
