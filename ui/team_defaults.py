"""What administrators choose for everybody who has chosen nothing, on the Settings page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from core.accounts.preferences import Preferences, save_team_default
from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from ui.accounts_view import Work, act
from ui.choices import draw_choice
from ui.density import forget_density
from ui.echoes import is_changed
from ui.unbroken import once

DENSITIES = {"comfortable": "Comfortable", "compact": "Compact"}
INSPECTION = {"off": "Nobody", "on": "Administrators, and every look is audited"}
TITLES = {"on": "A cheap model, after the first answer", "off": "The first words"}


def draw_team_defaults(services: Services, models: Mapping[str, ModelSpec], team: Preferences) -> None:
    """What counts for everybody, and who may read others' texts. Every change is kept at once and audited."""
    _draw_choice(
        services,
        "default_model",
        "The team's default model",
        {model_id: model.label for model_id, model in models.items()},
        team.default_model,
        placeholder="The cheapest that works",
        note="For everybody who has chosen none.",
    )
    _draw_choice(
        services,
        "density",
        "The team's density of chats",
        DENSITIES,
        team.density,
        placeholder=DENSITIES["comfortable"],
        note="For everybody who has chosen none.",
    )
    _draw_choice(
        services,
        "titles",
        "The team's titles of chats",
        TITLES,
        team.titles,
        placeholder=TITLES["on"],
        note="With the first words, nobody's chats are named by a model.",
    )
    _draw_choice(
        services,
        "inspection",
        "Who may read others' conversations",
        INSPECTION,
        team.inspection,
        placeholder=INSPECTION["off"],
        note="From the calls on the Costs page. Tell your team before you change it.",
    )


def _draw_choice(
    services: Services,
    name: str,
    label: str,
    options: Mapping[str, str],
    held: str | None,
    *,
    placeholder: str,
    note: str,
) -> None:
    key = f"team_{name}"
    draw_choice(
        key,
        label,
        options,
        held,
        placeholder=placeholder,
        help=f"{note} Only administrators see this.",
        on_change=act,
        args=(services, "defaults", _save(services, name, key, label)),
        kwargs={"admin": True},
    )


def _save(services: Services, name: str, key: str, what: str) -> Work:
    def work(user: User) -> str:
        if not is_changed(key):
            return ""
        value = st.session_state[key]
        once("save", partial(save_team_default, services.database, name=name, value=value, actor_id=user.id))
        forget_density()
        return f"{what} is saved."

    return work
