"""The line above the composer: how full the window is, and what the next message costs here and on other models.

It is a component of our own (gauge.js) because Streamlit's chat input says nothing while somebody types. The server
prices the history at each run, from counts that are kept (core.costs.kept_counts), and hands prices to the browser,
which adds the draft on every key press: no run of the page, no request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.catalog.recommend import callable_now
from core.chat.conversation import Message
from core.chat.history_size import HistorySize, attachment_tokens, count_texts, measure_history
from core.chat.price_strip import Quote, others_to_show, quote
from core.clock import utc_now
from core.costs.output_lengths import OutputLength
from ui import file_state, formats, state
from ui.chat import OpenChat
from ui.parameter_changes import load_sheet

_KEY = "gauge"
_HTML = """
<div class="strip" role="group" aria-label="Context and cost of the next message">
  <span class="gauge"><span class="bar" aria-hidden="true"></span><span class="used"></span>
    <span class="cached"></span><span class="over"></span></span>
  <span class="rest"><span class="what"></span><span class="prices"></span></span>
</div>
"""


def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_draw = st.components.v2.component("gauge", html=_HTML, css=_source("gauge.css"), js=_source("gauge.js"))


def draw_gauge(
    services: Services,
    user: User,
    opened: OpenChat,
    *,
    choose: Callable[[str], None],
    beside: Callable[[], None] | None = None,
) -> None:
    """The gauge and the prices; `choose` takes another model. `beside` draws what stands at the end of the line."""
    model = services.registry.current().get(state.active_model() or "")
    if model is None:
        return
    now = utc_now()
    quotes = quotes_for(services, user, opened.messages, model, now=now)
    data = _sent(quotes, begun=not opened.is_empty)
    with st.container(key="price_strip", horizontal=True, vertical_alignment="center", gap="small"):
        _draw(key=_KEY, data=data, on_chosen_change=lambda: _chosen(services, user, choose))
        if beside is not None:
            beside()


def quotes_for(
    services: Services, user: User, messages: Sequence[Message], model: ModelSpec, *, now: datetime
) -> list[Quote]:
    """What the next message costs on the chosen model, first, and on up to four others."""
    preferences = read_preferences(load_preferences(services.database, user.id))
    state.set_use_case(preferences.use_case)
    chosen = load_sheet(services, user, model).resolution.chosen()
    prompt, most = chosen.get("system_prompt"), chosen.get("max_tokens")
    system_prompt = prompt if isinstance(prompt, str) else None
    texts = count_texts(messages)
    own = measure_history(messages, model=model, system_prompt=system_prompt, texts=texts)
    others = others_to_show(
        model.id,
        services.offered_models(user),
        favourites=preferences.favourites,
        use_case=preferences.use_case,
        hidden=preferences.hidden_models,
        usable=lambda other: callable_now(services.model_status(other)),
        images=any(attached.kind == "image" for attached in _files(messages)),
        tokens=own.tokens,
    )
    lengths = services.lengths.current()

    def quoted(other: ModelSpec, size: HistorySize) -> Quote:
        length = lengths.of(other.id, preferences.use_case).within(other.max_output_tokens)
        return quote(other, size, length.within(most if isinstance(most, int) else None), now=now)

    sized = ((other, measure_history(messages, model=other, texts=texts)) for other in others)
    return [quoted(model, own), *(quoted(other, size) for other, size in sized)]


def _files(messages: Sequence[Message]) -> list[Any]:
    sent = [attached for message in messages for attached in message.attachments]
    return [*sent, *file_state.waiting()]


def _sent(quotes: Sequence[Quote], *, begun: bool) -> str:
    waiting = file_state.waiting()
    models = []
    for quoted in quotes:
        files = sum(attachment_tokens(attached, quoted.model) for attached in waiting)
        models.append(_as_data(quoted, files, begun=begun))
    return json.dumps({"what": "this message:", "models": models})


def _as_data(quoted: Quote, files: int, *, begun: bool) -> dict[str, object]:
    size, model = quoted.size, quoted.model
    until = size.cached_until
    return {
        "id": model.id,
        "label": model.label,
        "window": model.context_tokens,
        "used": size.tokens,
        "files": files,
        "cached": [size.cached_surely, size.cached_at_best],
        "until": 0 if until is None else round(until.replace(tzinfo=UTC).timestamp() * 1000),
        "steps": [_step_data(quoted, place) for place in range(len(quoted.steps))],
        "word": price_word(quoted),
        "most": None,
        "about": f"{model.label}: answers of {length_words(quoted.length)}.",
        "derived": derived_words(size, begun=begun),
    }


def _step_data(quoted: Quote, place: int) -> list[float]:
    step = quoted.steps[place]
    ends = (step.warm.low_usd, step.warm.high_usd, step.cold.low_usd, step.cold.high_usd, step.per_token_usd)
    # Floats are for the eye: what is stored and summed never passes through here.
    return [step.above_tokens, *(float(end or Decimal(0)) for end in ends)]


def price_word(quoted: Quote) -> str:
    """The word that stands for a range: "unpriced", "free" or none."""
    if not quoted.steps:
        return "unpriced"
    return "free" if all(step.cold.free for step in quoted.steps) else ""


def length_words(length: OutputLength) -> str:
    """`215 to 441 tokens (the middle half of 41 answers in this use case)`."""
    whose = {
        "model and use case": f"the middle half of its {length.answers:,} answers in your use case",
        "model": f"the middle half of its {length.answers:,} answers",
        "all models": f"the middle half of {length.answers:,} answers of all models",
        "default": "published averages, until enough was answered here",
    }[length.basis]
    return f"{formats.tokens(length.low)} to {formats.tokens(length.high)} tokens ({whose})"


def derived_words(size: HistorySize, *, begun: bool) -> str:
    """Where the figures of the gauge come from, in a sentence or two."""
    if not begun:
        return "What you type is counted as you type, roughly."
    if size.counted_by == "provider":
        counted = "Counted by the provider for the last answer; what came after by us."
    else:
        counted = "Our own count: up to 20 % off."
    if size.cached_surely:
        return f"{counted} Cached: what the provider read from its cache then, which lasts about 5 minutes."
    if size.cached_at_best:
        return f"{counted} Cached: what was sent then, which the provider may keep for about 5 minutes."
    return counted


def _chosen(services: Services, user: User, choose: Callable[[str], None]) -> None:
    model_id = getattr(st.session_state.get(_KEY), "chosen", None)
    # What comes back is checked: anybody can send anything.
    if isinstance(model_id, str) and model_id in services.offered_models(user):
        choose(model_id)
