"""The line above the composer: how full the window is, and what the next message costs here and on other models.

It is a component of our own (gauge.js) because Streamlit's chat input says nothing while somebody types. The server
prices the history at each run, from counts that are kept (core.costs.kept_counts), and hands prices to the browser,
which adds the draft on every key press: no run of the page, no request.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat.history_size import HistorySize, attachment_tokens
from core.chat.money_cap import dollars
from core.chat.price_strip import Quote
from core.costs.output_lengths import OutputLength
from core.costs.standing import Standing
from ui import file_state, formats
from ui.budget_line import left_words
from ui.quotes import Quotes
from ui.sources import source
from ui.unbroken import unbroken

_KEY = "gauge"
_NEWS = "gauge_news"
_HTML = """
<div class="strip" role="group" aria-label="Context and cost of the next message">
  <span class="gauge"><span class="bar" aria-hidden="true"></span><span class="used"></span>
    <span class="cached"></span><span class="over"></span></span>
  <span class="rest"><span class="what"></span><span class="left" role="status"></span>
    <span class="prices"></span></span>
</div>
"""


_send_news = st.components.v2.component("gauge_news", js=source("gauge_news.js"))
_draw = st.components.v2.component(
    "gauge", html=_HTML, css=source("gauge.css"), js=source("draft_price.js") + source("gauge.js")
)


def draw_gauge(
    services: Services,
    user: User,
    quotes: Quotes,
    *,
    begun: bool,
    choose: Callable[[str], None],
    beside: Callable[[], None] | None = None,
) -> None:
    """The gauge and the prices; `choose` takes another model. `beside` draws what stands at the end of the line."""
    with st.container(key="price_strip", horizontal=True, vertical_alignment="center", gap="small"):
        _draw(
            key=_KEY,
            data=_sent(quotes, begun=begun),
            on_chosen_change=partial(_chosen, services, user, choose),
        )
        if beside is not None:
            beside()


def send_news(quotes: Quotes) -> None:
    """Bring the line up to date in the run that has drawn it already."""
    _send_news(key=_NEWS, data=_sent(quotes, begun=True))


def _sent(quotes: Quotes, *, begun: bool) -> str:
    models = [as_data(quoted, quotes.most_usd, begun=begun) for quoted in quotes.all]
    return json.dumps({"what": "this message:", "models": models, "left": _left(quotes.tightest)})


def _left(tightest: Standing | None) -> dict[str, object] | None:
    """What is left of the tightest budget: said only when the message costs more."""
    if tightest is None:
        return None
    return {"usd": float(tightest.balance.left_usd), "words": left_words(tightest)}


def as_data(quoted: Quote, most_usd: Decimal | None, *, begun: bool) -> dict[str, object]:
    """A quote as the browser takes it, with the files that wait to be sent and the most that an answer may cost."""
    size, model = quoted.size, quoted.model
    until = size.cached_until
    return {
        "id": model.id,
        "label": model.label,
        "window": model.context_tokens,
        "used": size.tokens,
        "files": sum(attachment_tokens(attached, model) for attached in file_state.waiting()),
        "cached": [size.cached_surely, size.cached_at_best],
        "until": 0 if until is None else round(until.replace(tzinfo=UTC).timestamp() * 1000),
        "steps": [_step_data(quoted, place) for place in range(len(quoted.steps))],
        "word": price_word(quoted),
        "most": None if most_usd is None else float(most_usd),
        "about": about_words(quoted, most_usd),
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


def about_words(quoted: Quote, most_usd: Decimal | None) -> str:
    """What a price rests on, and whether a limit for an answer holds."""
    words = f"{quoted.model.label}: answers of {length_words(quoted.length)}."
    if most_usd is None:
        return words
    if not quoted.steps:
        return f"{words} Your limit of {dollars(most_usd)} cannot hold here: nobody knows the price."
    return f"{words} An answer is cut off at your limit of {dollars(most_usd)}."


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


@unbroken
def _chosen(services: Services, user: User, choose: Callable[[str], None]) -> None:
    model_id = getattr(st.session_state.get(_KEY), "chosen", None)
    # What comes back is checked: anybody can send anything.
    if isinstance(model_id, str) and model_id in services.offered_models(user):
        choose(model_id)
