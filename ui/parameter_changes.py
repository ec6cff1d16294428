"""What the parameter form reads and changes. Callbacks ask who is acting: they run before the gate does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.effective import Layers, Resolution, Values, problem_with, refuse_problems, resolve
from core.catalog.models import ModelSpec, ParameterValue
from core.catalog.parameters import SYSTEM_PROMPT, ParameterSpec
from core.chat.kept_parameters import keep_for_conversation, keep_for_model, keep_for_team, load_layers
from core.chat.presets import Preset, delete_preset, list_presets, save_preset, share_preset
from core.errors import NotFound, SwitchboardError
from ui import state
from ui.auth import current_user
from ui.echoes import is_changed
from ui.markdown import literal
from ui.unbroken import once, unbroken

PRESET = "preset"
PRESET_NAME = "preset_name"
PRESET_SHARED = "preset_shared"

_PROBLEM = "parameters_problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What holds for one person, one model and the open conversation."""

    user: User
    model: ModelSpec
    layers: Layers
    resolution: Resolution


def load_sheet(services: Services, user: User, model: ModelSpec) -> Sheet:
    """Read what is set; a new chat's own values wait in the session until its first message."""
    conversation_id = state.conversation_id()
    layers = load_layers(services.database, user_id=user.id, model_id=model.id, conversation_id=conversation_id)
    if conversation_id is None:
        layers = replace(layers, conversation=state.new_chat_parameters())
    return Sheet(user=user, model=model, layers=layers, resolution=resolve(model, layers))


def chosen_for_request(
    services: Services, user: User, model: ModelSpec
) -> tuple[dict[str, ParameterValue], str | None]:
    """What people set for the next message, and the system prompt they set, if any.

    Raises TurnRefused for a value that the model does not take: it is neither sent nor dropped.
    """
    resolution = load_sheet(services, user, model).resolution
    refuse_problems(resolution)
    chosen = resolution.chosen()
    prompt = chosen.pop(SYSTEM_PROMPT, None)
    return chosen, None if prompt is None else str(prompt)


def take_problem() -> str | None:
    """Why the last change was not made, once."""
    value = st.session_state.pop(_PROBLEM, None)
    return value if isinstance(value, str) else None


@unbroken
def change(services: Services, model_id: str, spec: ParameterSpec, key: str) -> None:
    """Set a parameter of the open conversation to what its widget holds; an emptied widget unsets it."""

    def work(sheet: Sheet) -> str:
        if not is_changed(key):
            return ""
        value = widget_value(st.session_state[key])
        if value is None and spec.name == SYSTEM_PROMPT and SYSTEM_PROMPT in _below(sheet):
            value = ""
        values = {name: held for name, held in sheet.layers.conversation.items() if name != spec.name}
        if value is not None:
            _refuse(problem_with(sheet.model, spec, spec.name, value))
            values[spec.name] = value
        _refuse_new_problems(sheet, values)
        _keep_here(services, sheet.user, values)
        return ""

    _act(services, model_id, work)


@unbroken
def reset(services: Services, model_id: str, name: str) -> None:
    """Take back the value in force, where it was set."""

    def work(sheet: Sheet) -> str:
        layers, database = sheet.layers, services.database
        match sheet.resolution.values[name].origin:
            case "conversation":
                _keep_here(services, sheet.user, _without(layers.conversation, name))
            case "mine":
                keep_for_model(database, user_id=sheet.user.id, model_id=model_id, values=_without(layers.mine, name))
            case "team" if sheet.user.is_admin:
                values = _without(layers.team, name)
                keep_for_team(database, model_id=model_id, values=values, actor_id=sheet.user.id)
        return ""

    _act(services, model_id, work)


@unbroken
def keep_as_mine(services: Services, model_id: str) -> None:
    """Make this conversation's values one's own for the model, in all conversations."""

    def work(sheet: Sheet) -> str:
        values = {**sheet.layers.mine, **sheet.layers.conversation}
        keep_for_model(services.database, user_id=sheet.user.id, model_id=model_id, values=values)
        _keep_here(services, sheet.user, {})
        return f"Kept for {sheet.model.label} in all your chats."

    _act(services, model_id, work)


@unbroken
def keep_as_team_default(services: Services, model_id: str) -> None:
    """Make the values in force the team's defaults for the model; for administrators."""

    def work(sheet: Sheet) -> str:
        if not sheet.user.is_admin:
            return ""
        values = sheet.resolution.chosen()
        keep_for_team(services.database, model_id=model_id, values=values, actor_id=sheet.user.id)
        return f"The team's defaults for {sheet.model.label} are set."

    _act(services, model_id, work)


@unbroken
def apply_preset(services: Services, model_id: str, choose_model: Callable[[str], None]) -> None:
    """Take model, system prompt and parameters of the chosen preset for the open conversation."""

    def work(sheet: Sheet) -> str:
        preset = _chosen_preset(services, sheet.user) if is_changed(PRESET) else None
        if preset is None:
            return ""
        _keep_here(services, sheet.user, preset.parameters)
        wanted = preset.model_id or sheet.model.id
        if wanted not in services.offered_models(sheet.user):
            return f"{preset.name} is applied, but its model {wanted} is not offered; {sheet.model.label} stays."
        if wanted != sheet.model.id:
            choose_model(wanted)
        return f"{preset.name} is applied."

    _act(services, model_id, work)


@unbroken
def save_as_preset(services: Services, model_id: str) -> None:
    """Save the model and the values in force under the typed name."""

    def work(sheet: Sheet) -> str:
        name, shared = st.session_state[PRESET_NAME], st.session_state[PRESET_SHARED]
        save_preset(
            services.database,
            owner_id=sheet.user.id,
            name=name,
            model_id=model_id,
            parameters=sheet.resolution.chosen(),
            shared=shared,
        )
        st.session_state[PRESET_NAME] = ""
        return f"{' '.join(name.split())} is saved."

    _act(services, model_id, work)


@unbroken
def share_own_preset(services: Services, preset_id: str, key: str) -> None:
    """Show one's own preset to the team, or to oneself only, as its toggle says."""
    user = current_user(services)
    if user is not None and is_changed(key):
        with suppress(NotFound):  # deleted in another tab: the page draws what there is
            share_preset(services.database, owner_id=user.id, preset_id=preset_id, shared=st.session_state[key])


@unbroken
def delete_own_preset(services: Services, preset_id: str) -> None:
    """Delete one's own preset."""
    if user := current_user(services):
        with suppress(NotFound):
            delete_preset(services.database, owner_id=user.id, preset_id=preset_id)
        st.session_state.pop(PRESET, None)


@unbroken
def _act(services: Services, model_id: str, work: Callable[[Sheet], str]) -> None:
    user, model = current_user(services), services.registry.current().get(model_id)
    if user is None or model is None:
        return
    try:
        done = once("work", lambda: work(load_sheet(services, user, model)))
    except SwitchboardError as error:
        st.session_state[_PROBLEM] = error.user_message
        return
    if done:
        st.toast(literal(done), icon=":material/check:")


def _keep_here(services: Services, user: User, values: Values) -> None:
    conversation_id = state.conversation_id()
    if conversation_id is None:
        state.set_new_chat_parameters(values)
        return
    keep_for_conversation(services.database, user_id=user.id, conversation_id=conversation_id, values=values)


def _below(sheet: Sheet) -> Values:
    """What would be in force without the conversation."""
    found = resolve(sheet.model, replace(sheet.layers, conversation={}))
    return {name: effective.value for name, effective in found.values.items()}


def _refuse_new_problems(sheet: Sheet, values: Values) -> None:
    found = resolve(sheet.model, replace(sheet.layers, conversation=values)).problems
    for name, sentence in found.items():
        if name not in sheet.resolution.problems:
            _refuse(sentence)


def _refuse(sentence: str | None) -> None:
    if sentence:
        raise SwitchboardError(sentence)


def _chosen_preset(services: Services, user: User) -> Preset | None:
    chosen = st.session_state.get(PRESET)
    found = list_presets(services.database, user_id=user.id)
    return next((preset for preset in found if preset.id == chosen), None)


def _without(values: Values, name: str) -> dict[str, ParameterValue]:
    return {held: value for held, value in values.items() if held != name}


def widget_value(held: Any) -> ParameterValue | None:
    """What a parameter's widget holds as a value; None for an empty one."""
    if isinstance(held, list):
        return tuple(held) or None
    if isinstance(held, str):
        return held if held.strip() else None
    return held if isinstance(held, (bool, int, float)) else None
