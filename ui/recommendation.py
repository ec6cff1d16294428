"""The model to take for a use case, offered in a new chat: a row of use cases, a dial, and a sentence of reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.accounts.preferences import Preferences, RecommendBy, load_preferences, read_preferences, save_preference
from core.accounts.users import User
from core.arena.advice import Advice, advise
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.catalog.recommend import Reasons, callable_now, recommend, use_cases
from ui import echoes, formats, state
from ui.advice import DIALS, dial_of, evidence_sentence, missing_sentence
from ui.auth import current_user
from ui.markdown import literal
from ui.unbroken import unbroken
from ui.use_case import draw_use_cases

_DIAL = "recommend_by"
_WORDS = ("free", "unpriced")
_HELP = (
    "Which models suit a use case is our opinion. Which of them comes first is your team's, from blind votes and from "
    "how their answers went in 30 days. Until there is enough of both, the calls of the last 24 hours decide."
)
_DIAL_HELP = "What the order goes by, here and in the list of models. Kept for you."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The first model for a use case."""

    model: ModelSpec
    reasons: Reasons
    advice: Advice


def draw_recommendation(services: Services, user: User, *, choose: Callable[[str], None]) -> None:
    """Use cases, and the first model for the chosen one; nothing where there is no choice between models.

    `choose` is called with the id of the model to take.
    """
    preferences = read_preferences(load_preferences(services.database, user.id))
    models = services.offered_models(user)
    shown = {name: model for name, model in models.items() if name not in preferences.hidden_models}
    dial = dial_of(preferences)
    best = _best(services, shown, dial)
    if not best:
        return
    chosen = draw_use_cases(list(best), preferred=preferences.use_case, label="Find a model for", about=_HELP)
    if chosen in best:
        _draw_dial(services, preferences)
        _draw_model(best[chosen], dial, choose=choose)


def sentence(reasons: Reasons) -> str:
    """Why a model is recommended: `Our suggestion, measured over 24 h: 99 % of 212 calls worked, $0.25 in, ...`."""
    if not reasons.measured:
        return f"{_unmeasured(reasons)}: {_facts(reasons)}."
    parts = [f"{reasons.worked_percent} % of {reasons.calls.judged:,} calls worked"]
    if reasons.first_token_ms.p50 is not None:
        measured = f"{reasons.first_token_ms.samples:,} measured"
        parts.append(f"{formats.duration(reasons.first_token_ms.p50)} to first token ({measured})")
    return f"Our suggestion, measured over 24 h: {', '.join(parts)}, {_facts(reasons)}."


def _best(services: Services, models: Mapping[str, ModelSpec], dial: RecommendBy) -> dict[str, _Found]:
    statuses = {name: services.model_status(model) for name, model in models.items()}
    if sum(map(callable_now, statuses.values())) <= 1:
        return {}
    evidence, found = services.evidence.current(), {}
    for use_case in use_cases(models):
        reasons = {one.model_id: one.reasons for one in recommend(models, statuses, use_case)}
        if reasons:
            advice = advise(list(reasons), evidence, use_case=use_case, dial=dial)
            first = advice.order[0]
            found[use_case] = _Found(model=models[first], reasons=reasons[first], advice=advice)
    return found


def _draw_dial(services: Services, preferences: Preferences) -> None:
    # The store's word each time: another tab may have turned it.
    echoes.show(_DIAL, dial_of(preferences))
    st.segmented_control(
        "Go by",
        DIALS,
        key=_DIAL,
        format_func=str.capitalize,
        required=True,
        help=_DIAL_HELP,
        on_change=_keep_dial,
        args=(services,),
    )


@unbroken
def _keep_dial(services: Services) -> None:
    user, dial = current_user(services), st.session_state.get(_DIAL)
    if user is not None and dial in DIALS and echoes.is_changed(_DIAL):
        save_preference(services.database, user_id=user.id, name="recommend_by", value=dial)


def _draw_model(found: _Found, dial: RecommendBy, *, choose: Callable[[str], None]) -> None:
    model, known = found.model, found.advice.judged.get(found.model.id)
    why = sentence(found.reasons) if known is None else evidence_sentence(known, found.advice, dial)
    st.caption(f"**{literal(model.label)}** · {literal(why)}")
    if missing := missing_sentence(found.advice):
        st.caption(literal(missing))
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
