"""What stands between the conversation and the composer: what is sent, whether it fits, what it costs.

It is drawn before the conversation, with the composer. When an answer has been written in the same run, what is said
here has changed: `refresh` then says it anew in the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.chat.conversation import Message
from core.chat.preflight import CONFIRMS_ABOVE_TOKENS
from core.chat.shortening import without_oldest
from core.chat.summary import load_summary
from core.clock import utc_now
from ui import chat, length_state, state
from ui.chat import OpenChat
from ui.gauge import draw_gauge, send_news
from ui.quotes import Quotes, read_quotes
from ui.switch_preflight import draw_switch, last_model
from ui.too_long import Remedies, Sent, draw_summary, draw_too_long, what_is_sent


def draw_before_sending(
    services: Services, user: User, opened: OpenChat, *, beside: Callable[[], None] | None = None
) -> DeltaGenerator:
    """The summary that stands, what is too long, what a switch means, then context and prices. Returns their place.

    `beside` draws what stands at the end of the line of prices: the place of a budget's remainder.
    """
    place, model = st.empty(), _chosen(services)
    if model is not None:
        sent, quotes = _read(services, user, opened, opened.messages, model)
        if opened.live is None:
            _draw_lines(place, services, user, sent, quotes)
        choose = partial(chat.choose_model, services)
        draw_gauge(services, user, quotes, begun=not opened.is_empty, choose=choose, beside=beside)
    return place


def refresh(place: DeltaGenerator, services: Services, user: User, opened: OpenChat, answer: Message | None) -> None:
    """Say it anew after an answer was written; `place` is what `draw_before_sending` returned."""
    model = _chosen(services)
    if model is None or answer is None:
        return
    sent, quotes = _read(services, user, opened, [*opened.messages, answer], model)
    _draw_lines(place, services, user, sent, quotes)
    send_news(quotes)


def _draw_lines(place: DeltaGenerator, services: Services, user: User, sent: Sent, quotes: Quotes) -> None:
    choose, answer_again = partial(chat.choose_model, services), partial(chat.answer_again, services)
    with place.container(gap="xsmall"):
        draw_summary(services, sent)
        if draw_too_long(services, user, sent, quotes.own, Remedies(choose=choose, answer_again=answer_again)):
            # One question at a time: what does not fit is refused anyway.
            length_state.note_switch(None, None)
        else:
            draw_switch(services, sent.conversation_id, sent.messages, quotes.own, choose=choose)


def _read(
    services: Services, user: User, opened: OpenChat, messages: Sequence[Message], model: ModelSpec
) -> tuple[Sent, Quotes]:
    sent = _sent(services, user, opened, messages)
    if length_state.drops_oldest(sent.conversation_id):
        sent = replace(sent, messages=without_oldest(sent.messages, model=model)[0])
    quotes = read_quotes(services, user, sent.messages, model, now=utc_now())
    long = quotes.own.size.tokens > CONFIRMS_ABOVE_TOKENS
    length_state.note_switch(sent.conversation_id if long else None, last_model(sent.messages))
    return sent, quotes


def _sent(services: Services, user: User, opened: OpenChat, messages: Sequence[Message]) -> Sent:
    conversation = opened.conversation
    if conversation is None:
        return what_is_sent(None, None, messages)
    summary = load_summary(services.database, conversation_id=conversation.id, user_id=user.id)
    length_state.note_summarised(None if summary is None else conversation.id)
    return what_is_sent(summary, conversation.id, messages)


def _chosen(services: Services) -> ModelSpec | None:
    return services.registry.current().get(state.active_model() or "")
