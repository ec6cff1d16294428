"""The model selector of the sidebar and what is known of the chosen model.

The list box is a component of our own (model_selector.js) and not st.selectbox, for three reasons. A selectbox knows
one line of text per model and searches nothing else: status, prices, icons, groups and filters have no place in it. It
answers with that line, so a status that changed in between makes the answer unreadable; ours answers with the model's
id. And it would send every line again whenever one of them changed: at 500 models some 30 kB for a click. Ours gets the
list once, filters in the browser without asking the server, and takes some hundred bytes of facts per run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NoReturn

import streamlit as st

from core.accounts.preferences import (
    Preferences,
    load_preferences,
    load_team_defaults,
    read_preferences,
    save_preference,
)
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.choice import choose_model, without_hidden
from core.catalog.models import ModelSpec
from core.clock import utc_now
from core.costs.model_figures import ModelFigures, figures_by_model
from ui import echoes, state
from ui.advice import advised_order
from ui.auth import current_user
from ui.markdown import literal
from ui.model_card import known_facts, price_line
from ui.model_filter import capability_name, rivals, shown_capabilities
from ui.model_list import CAPABILITY_ICONS, ModelList, build_facts, build_list
from ui.model_status import draw_status
from ui.sources import source
from ui.times import month_start, viewer_zone
from ui.unbroken import unbroken
from ui.use_case import use_case_in_hand

_FACTS = "model_facts"
_FIGURES_LIVE_S = 15
_LISTS_KEPT = 8

_HTML = """
<div class="box">
  <div class="top"><label for="model">Model</label><kbd aria-hidden="true">Ctrl M</kbd></div>
  <div class="field">
    <span class="dot unknown"></span>
    <input id="model" role="combobox" aria-autocomplete="list" aria-expanded="false" aria-controls="models"
      aria-keyshortcuts="Control+M" autocomplete="off" spellcheck="false" autocapitalize="off">
    <span class="icon" aria-hidden="true">keyboard_arrow_down</span>
  </div>
  <div class="popup" popover="manual">
    <div class="chips" role="toolbar" aria-label="Filter models"></div>
    <div id="models" role="listbox" aria-label="Models"></div>
    <div class="count" role="status"></div>
  </div>
</div>
"""


_draw_list = st.components.v2.component(
    "model_selector", html=_HTML, css=source("model_selector.css"), js=source("model_selector.js")
)
_send_facts = st.components.v2.component("model_facts", js=source("model_facts.js"))


def draw_selector(services: Services, user: User, *, on_change: Callable[[], None]) -> None:
    """The selector and a card for the chosen model; the choice is in `state.active_model()`.

    `on_change` is called after another model was chosen.
    """
    models = services.offered_models(user)
    if services.registry.problem:
        words = f"{services.registry.problem} Until then the last good list is used."
        st.warning(literal(words), icon=":material/error:")
    preferences = read_preferences(load_preferences(services.database, user.id))
    chosen = _valid_choice(services, models, preferences)
    if chosen is None:
        st.warning("No model is offered. Add one to the registry file.", icon=":material/error:")
        return
    state.set_active_model(chosen)
    models = without_hidden(models, hidden=preferences.hidden_models, kept=chosen)
    listed = _list_of(models)
    _draw_list(
        key=state.MODEL, data=listed.text, on_chosen_change=partial(_choose, offered=listed.order, on_change=on_change)
    )
    # Drawn with the card's status, so that every dot of the list follows while the page is open.
    send_facts = partial(_send, services, listed, models, preferences, chosen=chosen)
    with st.container(gap="xsmall"):
        draw_status(services, models[chosen], beside=send_facts)
        _draw_card(services, user, models, preferences, chosen=chosen)


def _send(
    services: Services, listed: ModelList, models: Mapping[str, ModelSpec], preferences: Preferences, *, chosen: str
) -> None:
    order = advised_order(services, preferences)
    facts = build_facts(
        listed,
        models,
        {model_id: services.model_status(model) for model_id, model in models.items()},
        chosen=chosen,
        favourites=preferences.favourites,
        use_case=use_case_in_hand() or preferences.use_case,
        zone=viewer_zone(),
        order=order,
        judged=order.judged,
    )
    _send_facts(key=_FACTS, data=facts)


def _valid_choice(services: Services, models: Mapping[str, ModelSpec], preferences: Preferences) -> str | None:
    """The model chosen before while it is offered, else a default or a successor (core.catalog.choice)."""
    active = state.active_model()
    if active is not None and active in models:
        return active
    choice = choose_model(
        models,
        states={model_id: services.model_status(model).state for model_id, model in models.items()},
        conversation_model=active,
        own_default=preferences.default_model,
        team_default=read_preferences(load_team_defaults(services.database)).default_model,
        hidden=preferences.hidden_models,
        known=services.registry.current().models,
    )
    return None if choice is None else choice.model_id


def take_choice(offered: Collection[str]) -> bool:
    """Take over what was chosen in the list since the last run, if anything was.

    For callbacks that send: somebody who chooses and sends before the page has answered sends both at once, and
    Streamlit then calls the composer's callback first.
    """
    # What comes back is checked: the page may be older than the registry, and anybody can send anything.
    chosen = getattr(st.session_state.get(state.MODEL), "chosen", None)
    if not isinstance(chosen, str) or chosen not in offered:
        return False
    state.set_active_model(chosen)
    return True


@unbroken
def _choose(*, offered: Collection[str], on_change: Callable[[], None]) -> None:
    if take_choice(offered):
        on_change()


_lists: dict[tuple[int, ...], tuple[Sequence[ModelSpec], ModelList]] = {}
_lists_lock = threading.Lock()


def _list_of(models: Mapping[str, ModelSpec]) -> ModelList:
    """The list for these very models, made once: at 500 models it takes longer than all the rest of a run."""
    specs = tuple(models.values())
    # By identity: comparing 500 models by value would cost what it saves. The models are kept, so no id is used twice.
    key = tuple(map(id, specs))
    with _lists_lock:
        if key not in _lists:
            while len(_lists) >= _LISTS_KEPT:
                _lists.pop(next(iter(_lists)))
            _lists[key] = specs, build_list(models)
        return _lists[key][1]


def _draw_card(
    services: Services, user: User, models: Mapping[str, ModelSpec], preferences: Preferences, *, chosen: str
) -> None:
    model = models[chosen]
    lines = [literal(price_line(model))]
    if icons := [
        f":material/{CAPABILITY_ICONS[item]}: {literal(capability_name(item))}" for item in shown_capabilities(model)
    ]:
        lines.append(" ".join(icons))
    if model.note:
        lines.append(literal(model.note))
    st.caption("  \n".join(lines))
    with st.container(key="model_actions", horizontal=True, vertical_alignment="center"):
        _draw_favourite(services, model, preferences.favourites)
        more = st.popover("Details", key="model_details", type="tertiary", on_change="rerun")
        compare = st.button(
            "Compare", key="compare_model", type="tertiary", help="Shows it beside two others that suit, on Models."
        )
    if more.open:
        with more:
            figures = _figures(services, user.id, month_start(viewer_zone()))
            _draw_details(services, model, figures.get(model.id, ModelFigures()))
    if compare:
        _compare(services, model, models, preferences)


def _compare(
    services: Services, model: ModelSpec, models: Mapping[str, ModelSpec], preferences: Preferences
) -> NoReturn:
    statuses = {name: services.model_status(other) for name, other in models.items()}
    order = advised_order(services, preferences)
    state.tick_models([model.id, *rivals(model, models, statuses, use_case=preferences.use_case, order=order)])
    st.switch_page("pages/models_page.py")


def _draw_favourite(services: Services, model: ModelSpec, favourites: Collection[str]) -> None:
    # A key per model, and the store's word each time: the browser's idea of the toggle is never the truth.
    key = f"favourite_{model.id}"
    echoes.show(key, model.id in favourites)
    st.toggle("Favourite", key=key, on_change=_keep_favourite, args=(services, model.id, key))


@unbroken
def _keep_favourite(services: Services, model_id: str, key: str) -> None:
    user = current_user(services)
    if user is None or not echoes.is_changed(key):
        return
    kept = [name for name in _favourites(services, user) if name != model_id]
    wanted = [*kept, model_id] if st.session_state[key] else kept
    save_preference(services.database, user_id=user.id, name="favourites", value=list(wanted))


def _favourites(services: Services, user: User) -> Sequence[str]:
    return read_preferences(load_preferences(services.database, user.id)).favourites


def _draw_details(services: Services, model: ModelSpec, figures: ModelFigures) -> None:
    labels = {name: other.label for name, other in services.registry.current().models.items()}
    known = known_facts(model, services.model_status(model), figures, labels, zone=viewer_zone())
    rows = [f":gray[{literal(what)}]&emsp;{literal(words)}" for what, words in known.items() if words]
    st.markdown("  \n".join([f"**{literal(model.label)}**", *rows]))


@st.cache_data(ttl=_FIGURES_LIVE_S, max_entries=1000, show_spinner=False)
def _figures(_services: Services, user_id: str, month: datetime) -> Mapping[str, ModelFigures]:
    return figures_by_model(_services.database, user_id=user_id, month=month, now=utc_now())
