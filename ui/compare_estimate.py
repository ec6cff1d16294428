"""What a comparison's next message costs in all columns together, before it is sent.

The server prices the history of every column; a component adds the draft on every key press, as the line above the
chat's composer does, whose arithmetic (draft_price.js) it shares.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.arena.asking import layers_of
from core.arena.foresight import Prospect, quote_prospect
from core.arena.line_ups import Entry
from core.bootstrap import Services
from core.catalog.effective import Values, resolve
from core.catalog.models import ModelSpec
from core.catalog.parameters import MOST_USD
from core.chat.conversation import Message
from core.chat.history_size import HistorySize
from core.chat.money_cap import usable_cap
from core.chat.price_strip import Quote, quote
from core.clock import utc_now
from core.costs.estimate import CostRange
from core.costs.token_count import estimate_tokens
from ui import compare_state, formats, state
from ui.compare import ALL, OpenComparison
from ui.gauge import as_data
from ui.sources import source

_HTML = '<span class="estimate" role="status" aria-label="Estimated cost of this message"></span>'
_CSS = """
.estimate {
  font-family: var(--st-font); font-size: 0.8125rem; line-height: 1.5rem; color: var(--st-gray-text-color);
  font-variant-numeric: tabular-nums;
}
"""


_draw = st.components.v2.component(
    "compare_estimate", html=_HTML, css=_CSS, js=source("draft_price.js") + source("compare_estimate.js")
)


def draw_estimate(services: Services, user: User, opened: OpenComparison, history: Sequence[Message]) -> None:
    """The line above the composer; `history` is that of the chat which comes first."""
    preferences = read_preferences(load_preferences(services.database, user.id))
    state.set_use_case(preferences.use_case)
    state.set_answer_cap(preferences.answer_cap_usd)
    models = [
        as_data(quoted, usable_cap(chosen.get(MOST_USD) or preferences.answer_cap_usd), begun=True)
        for quoted, chosen in quotes_for(services, user, opened, history)
    ]
    _draw(key="compare_estimate", data=json.dumps(models))


def quotes_for(
    services: Services, user: User, opened: OpenComparison, history: Sequence[Message]
) -> list[tuple[Quote, Values]]:
    """What the next message costs in each column that it goes to, without its own words; and what is set there."""
    found = services.registry.current().models
    if opened.comparison is None:
        entries = [seat.entry for seat in compare_state.line_up() or () if seat.entry.model_id in found]
        asked = [(found[entry.model_id], _chosen(services, user, entry), history) for entry in entries]
    else:
        wanted = st.session_state.get(compare_state.TO, ALL)
        columns = [column for column in opened.comparison.answers if wanted in {ALL, column.id}]
        asked = [
            (found[column.model_id], column.parameters, [*history, *opened.said.get(column.id, ())])
            for column in columns
            if column.model_id in found
        ]
    lengths, use_case, now = services.lengths.current(), _use_case_of(opened), utc_now()
    prospects = [Prospect(model=model, parameters=chosen, history=read) for model, chosen, read in asked]
    return [
        (quote_prospect(prospect, lengths=lengths, use_case=use_case, now=now), prospect.parameters)
        for prospect in prospects
    ]


def _use_case_of(opened: OpenComparison) -> str | None:
    return (opened.comparison.use_case or None) if opened.comparison else state.use_case()


def quote_after(services: Services, model: ModelSpec, read: Sequence[Message], opened: OpenComparison) -> Quote:
    """What it costs to have a model answer the last of these messages."""
    prospect = Prospect(model=model, parameters={}, history=read)
    lengths = services.lengths.current()
    return quote_prospect(prospect, lengths=lengths, use_case=_use_case_of(opened), now=utc_now())


def quote_text(services: Services, model: ModelSpec, text: str) -> Quote:
    """What a message of its own costs."""
    length = services.lengths.current().of(model.id, state.use_case()).within(model.max_output_tokens)
    return quote(model, HistorySize(tokens=estimate_tokens(text)), length, now=utc_now())


def estimate_words(quotes: Sequence[Quote]) -> str:
    """`about $0.0021 to $0.0040`, `free` or `unpriced`, for messages whose words are counted already."""
    total = CostRange(low_usd=None, high_usd=None)
    now = utc_now()
    for place, quoted in enumerate(quotes):
        cost = quoted.cost(0, now=now)
        total = cost if place == 0 else total + cost
    if total.low_usd is None or total.high_usd is None:
        return "unpriced"
    if total.free:
        return "free"
    return formats.about(total.low_usd, total.high_usd)


def _chosen(services: Services, user: User, entry: Entry) -> Values:
    model = services.registry.current().models[entry.model_id]
    return resolve(model, layers_of(services.database, entry, user_id=user.id)).chosen()
