"""What the Settings page shows of one's preferences, presets and data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from core.accounts.preferences import (
    JSON,
    Preferences,
    load_preferences,
    load_team_defaults,
    read_preferences,
    save_preference,
)
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.chat.own_data import delete_data, export_data
from core.chat.presets import Preset, list_presets
from core.errors import AccountError
from ui import echoes, file_state, state
from ui.accounts_view import Work, act, draw_problem
from ui.answer_cap import draw_answer_cap
from ui.auth import current_user
from ui.choices import draw_choice
from ui.density import forget_density
from ui.markdown import literal
from ui.parameters_form import draw_own_preset, preset_title
from ui.team_defaults import DENSITIES, TITLES, draw_team_defaults
from ui.times import use_time_zone, viewer_zone_name
from ui.unbroken import once, unbroken

_CONFIRM = "delete_data_username"
_FALLBACKS = {
    "automatic": "Use another one and say so",
    "ask": "Ask me",
    "never": "Only say that it failed",
}
_LISTS = frozenset({"favourites", "hidden_models"})
_SAVED = {
    "default_model": "Default model",
    "favourites": "Favourites",
    "hidden_models": "Hidden models",
    "use_case": "Use case",
    "fallback": "Choice for failures",
    "time_zone": "Time zone",
    "density": "Density",
    "titles": "Choice for titles",
}


def draw_defaults(services: Services, user: User) -> None:
    """What new chats start with, and how times are shown. Every change is kept at once."""
    models = services.offered_models(user)
    mine = read_preferences(load_preferences(services.database, user.id))
    team = read_preferences(load_team_defaults(services.database))
    draw_problem("defaults")
    _draw_models(services, models, mine, team)
    _draw_choices(services, mine, team)
    draw_answer_cap(services, mine)
    if user.is_admin:
        draw_team_defaults(services, models, team)


def draw_presets(services: Services, user: User) -> None:
    """One's own presets, to share and delete, and those that others share."""
    presets = list_presets(services.database, user_id=user.id)
    if not presets:
        st.caption("No presets yet. Set parameters in a chat, then save them there under a name.")
    for preset in presets:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{literal(preset_title(preset))}**  \n{literal(_summary(services, preset))}", width="stretch"
            )
            if preset.own:
                draw_own_preset(services, preset)


def draw_data(services: Services, user: User) -> None:
    """Taking one's data away, and deleting it."""
    st.caption("Profile, preferences, presets, and all conversations with messages, files and figures, as JSON.")
    st.download_button(
        "Export my data",
        key="export_data",
        icon=":material/download:",
        data=partial(export_data, services.database, user, files=services.files),
        file_name=f"switchboard-{user.username}.json",
        mime="application/json",
        on_click="ignore",
    )
    with st.expander("Delete my data"), st.form("delete_data", border=False, clear_on_submit=True):
        st.markdown(
            "Deletes your conversations, also those you deleted before, with their files, links and ratings, and your "
            "presets, prompts, parameters and preferences, at once and for good. Your account stays, and so do the "
            "ledger's rows: what was spent when, on which model and with which parameters, without the text of any "
            "conversation."
        )
        st.text_input(f"Type your username, {literal(user.username)}, to confirm", key=_CONFIRM, autocomplete="off")
        st.form_submit_button(
            "Delete my data", icon=":material/delete_forever:", on_click=act, args=(services, "data", _delete(services))
        )
    draw_problem("data")


def _draw_models(services: Services, models: Mapping[str, ModelSpec], mine: Preferences, team: Preferences) -> None:
    labels = {model_id: model.label for model_id, model in models.items()}
    fallback = labels.get(team.default_model or "", "The cheapest that works")
    of_whom = "the team's default" if team.default_model in labels else "no default is set"
    _draw_choice(
        services,
        "default_model",
        "Default model",
        labels,
        mine.default_model,
        placeholder=f"{fallback} ({of_whom})",
        help="New chats start with it. A conversation keeps its own model.",
    )
    _draw_list(
        services, "favourites", "Favourites", labels, mine.favourites, help="They stand first in the list of models."
    )
    _draw_list(
        services,
        "hidden_models",
        "Hidden models",
        labels,
        mine.hidden_models,
        help="They are left out of the list in chats. One that a conversation uses stays.",
    )
    use_cases = sorted({word for model in models.values() for word in model.use_cases})
    _draw_choice(
        services,
        "use_case",
        "What you mostly do",
        {word: word.replace("_", " ").capitalize() for word in use_cases},
        mine.use_case,
        placeholder="Nothing in particular",
        help="Models for it are recommended first.",
    )


def _draw_choices(services: Services, mine: Preferences, team: Preferences) -> None:
    _draw_choice(
        services,
        "fallback",
        "When a model fails before its first word",
        _FALLBACKS,
        mine.fallback,
        placeholder=_FALLBACKS["automatic"],
        help="For new chats.",
    )
    _draw_choice(
        services,
        "time_zone",
        "Time zone",
        {name: name for name in _time_zones()},
        mine.time_zone,
        placeholder=f"The browser's (now {viewer_zone_name()})" if mine.time_zone is None else "The browser's",
        help="Days and times are shown in it.",
    )
    _draw_choice(
        services,
        "density",
        "Density of chats",
        DENSITIES,
        mine.density,
        placeholder=DENSITIES[team.density or "comfortable"],
        help="Compact shows more messages at once, in smaller letters.",
    )
    _draw_choice(
        services,
        "titles",
        "Titles of chats",
        TITLES,
        mine.titles,
        placeholder=TITLES[team.titles or "on"],
        help="A title costs a small fraction of a cent, which counts like every other call.",
    )


def _draw_list(
    services: Services, name: str, label: str, options: Mapping[str, str], held: Sequence[str], **shown: Any
) -> None:
    key = f"preference_{name}"
    echoes.show(key, [option for option in held if option in options])
    st.multiselect(
        label,
        list(options),
        key=key,
        format_func=lambda option: options[option],
        placeholder="None",
        on_change=_save,
        args=(services, name, key),
        **shown,
    )


def _draw_choice(
    services: Services, name: str, label: str, options: Mapping[str, str], held: str | None, **shown: Any
) -> None:
    key = f"preference_{name}"
    draw_choice(key, label, options, held, on_change=_save, args=(services, name, key), **shown)


@unbroken
def _save(services: Services, name: str, key: str) -> None:
    user = current_user(services)
    if user is None or not echoes.is_changed(key):
        return
    held: JSON = st.session_state[key] or None
    if name in _LISTS:
        held = [*(held if isinstance(held, list) else ()), *_not_offered(services, user, name)] or None
    save_preference(services.database, user_id=user.id, name=name, value=held)
    if name == "time_zone":
        use_time_zone(user, held if isinstance(held, str) else None)
    forget_density()
    st.toast(f"{_SAVED[name]} saved.", icon=":material/check:")


def _not_offered(services: Services, user: User, name: str) -> list[JSON]:
    """What of a list is not on show, because the models are not offered now; they may be again."""
    offered = services.offered_models(user)
    stored = load_preferences(services.database, user.id).get(name)
    return [model_id for model_id in (stored if isinstance(stored, list) else ()) if model_id not in offered]


def _delete(services: Services) -> Work:
    def work(user: User) -> str:
        if st.session_state[_CONFIRM].strip().lower() != user.username:
            raise AccountError("That is not your username. Nothing was deleted.", next_step="Type it to confirm.")
        once("delete", partial(delete_data, services.database, user, files=services.files))
        file_state.forget_all()
        use_time_zone(user, None)
        forget_density()
        state.open_conversation(None)
        return "Your data is deleted."

    return work


def _summary(services: Services, preset: Preset) -> str:
    model = services.registry.current().get(preset.model_id or "")
    named = model.label if model else preset.model_id or "any model"
    count = len(preset.parameters)
    return f"{named}, {count} {'value' if count == 1 else 'values'}"


@cache
def _time_zones() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if "/" in name or name == "UTC"))
