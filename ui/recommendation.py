"""The model to take for a use case, offered in a new chat: a row of use cases, and one sentence of reasons."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.catalog.recommend import Reasons, Recommendation, callable_now, recommend, use_cases
from ui import formats, state
from ui.markdown import literal

_USE_CASE = "recommend_for"
_WORDS = ("free", "unpriced")
_HELP = (
    "Which models suit a use case is our opinion. Where they were called often enough in the last 24 hours, "
    "these calls decide which of them comes first."
)


def draw_recommendation(services: Services, user: User, *, choose: Callable[[str], None]) -> None:
    """Use cases, and the first model for the chosen one; nothing where there is no choice between models.

    `choose` is called with the id of the model to take.
    """
    preferences = read_preferences(load_preferences(services.database, user.id))
    models = services.offered_models(user)
    shown = {name: model for name, model in models.items() if name not in preferences.hidden_models}
    best = _best(services, shown)
    if not best:
        return
    chosen = st.pills(
        "Find a model for",
        list(best),
        default=preferences.use_case if preferences.use_case in best else None,
        format_func=lambda name: literal(name.replace("_", " ")),
        key=_USE_CASE,
        help=_HELP,
    )
    if chosen in best:
        found = best[chosen]
        _draw_model(shown[found.model_id], found.reasons, choose=choose)


def sentence(reasons: Reasons) -> str:
    """Why a model is recommended: `Our suggestion, measured over 24 h: 99 % of 212 calls worked, $0.25 in, ...`."""
    if not reasons.measured:
        return f"{_unmeasured(reasons)}: {_facts(reasons)}."
    parts = [f"{reasons.worked_percent} % of {reasons.calls.judged:,} calls worked"]
    if reasons.first_token_ms.p50 is not None:
        measured = f"{reasons.first_token_ms.samples:,} measured"
        parts.append(f"{formats.duration(reasons.first_token_ms.p50)} to first token ({measured})")
    return f"Our suggestion, measured over 24 h: {', '.join(parts)}, {_facts(reasons)}."


def _best(services: Services, models: dict[str, ModelSpec]) -> dict[str, Recommendation]:
    statuses = {name: services.model_status(model) for name, model in models.items()}
    if sum(map(callable_now, statuses.values())) <= 1:
        return {}
    ranked = {name: recommend(models, statuses, name) for name in use_cases(models)}
    return {name: found[0] for name, found in ranked.items() if found}


def _draw_model(model: ModelSpec, reasons: Reasons, *, choose: Callable[[str], None]) -> None:
    st.caption(f"**{literal(model.label)}** · {literal(sentence(reasons))}")
    if model.id == state.active_model():
        st.caption(":material/check: This chat uses it.")
        return
    st.button(f"Use {literal(model.label)} for this chat", key="use_recommended", on_click=choose, args=(model.id,))


def _unmeasured(reasons: Reasons) -> str:
    if not reasons.calls.judged:
        return "Our suggestion, not measured yet"
    calls = "1 call" if reasons.calls.judged == 1 else f"{reasons.calls.judged} calls"
    return f"Our suggestion, not measured yet ({calls} in 24 h, too few)"


def _facts(reasons: Reasons) -> str:
    price = formats.price(reasons.prices)
    return f"{price if price in _WORDS else f'{price} per million'}, {formats.window(reasons.context_tokens)}"
