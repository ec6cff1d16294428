"""The parameters of the chosen model: what is in force, where it comes from, and changing it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.effective import Effective
from core.catalog.parameters import MOST_USD, ParameterSpec, accepted_parameters, parameter_label
from core.chat.presets import NAME_LIMIT, Preset, list_presets
from ui import echoes, state
from ui import parameter_changes as changes
from ui.markdown import literal
from ui.parameter_changes import PRESET, PRESET_NAME, PRESET_SHARED, Sheet
from ui.tools_switch import draw_tools_switch

_ORIGINS = {
    "model": "From the model",
    "team": "The team's default",
    "mine": "Mine, for this model",
    "conversation": "This conversation",
}
_PROMPT_PX = 110
_FORM_PX = 540
_FORM_WIDTH_PX = 380


def draw_parameters(services: Services, user: User, *, choose_model: Callable[[str], None]) -> None:
    """The button "Parameters" and behind it the form; nothing is read while it is closed.

    `choose_model` is called with the id of the model that a preset brings along.
    """
    place = st.popover("Parameters", key="parameters", icon=":material/tune:", type="tertiary", on_change="rerun")
    # Drawn also while it is closed, and empty: a popover looks for room when it opens, before the form has come.
    form = place.container(height=_FORM_PX, width=_FORM_WIDTH_PX, border=False, key="parameters_form")
    model = services.registry.current().get(state.active_model() or "")
    if not place.open or model is None:
        return
    # A container of its own: in one of fixed height the text area would shrink to nothing.
    with form.container():
        sheet = changes.load_sheet(services, user, model)
        st.markdown(f"**{literal(model.label)}**")
        if problem := changes.take_problem():
            st.error(literal(problem), icon=":material/error:")
        _draw_presets(services, sheet, choose_model)
        specs = accepted_parameters(model)
        for spec in specs:
            _draw_parameter(services, sheet, spec)
        known = {spec.name for spec in specs}
        for name in (name for name in sheet.resolution.problems if name not in known):
            _draw_problem(services, sheet, name)
        draw_tools_switch(services, user, model)
        _draw_keeping(services, sheet)
        _draw_saving(services, sheet)


def _draw_parameter(services: Services, sheet: Sheet, spec: ParameterSpec) -> None:
    found, problem = sheet.resolution.values.get(spec.name), sheet.resolution.problems.get(spec.name)
    # A key per model: two models' widgets of one name differ in range and choices.
    key = f"parameter_{sheet.model.id}_{spec.name}"
    # The store's word each time; what a model does not take cannot be put into its widget.
    held = None if found is None or problem else found.value
    echoes.show(key, for_widget(spec, held))
    on_change: dict[str, Any] = {"on_change": changes.change, "args": (services, sheet.model.id, spec, key)}
    draw_widget(spec, key, **on_change)
    if spec.name == MOST_USD and sheet.model.prices is None:
        st.caption(f"Nobody knows what {literal(sheet.model.label)} costs, so no limit can hold for it.")
    if problem:
        st.error(literal(problem))
    _draw_origin(services, sheet, spec.name, found)


def draw_widget(spec: ParameterSpec, key: str, **on_change: Any) -> None:
    """The widget of a parameter; what it holds stands in st.session_state[key], as `for_widget` puts it there."""
    label = f"{spec.label} ({spec.unit})" if spec.unit else spec.label
    unset = "The provider decides" if spec.default is None else f"The provider's own: {spec.default}"
    unset = spec.unset or unset
    named: dict[str, Any] = {"label": label, "key": key, "help": spec.help, **on_change}
    match spec.kind:
        case "float" | "int":
            st.number_input(**named, **_range(spec), value=None, placeholder=unset)
        case "choice":
            st.selectbox(**named, options=list(spec.choices), index=None, placeholder=unset)
        case "flag":
            st.toggle(**named)
        case "list":
            st.multiselect(
                **named,
                options=list(st.session_state[key]),
                accept_new_options=True,
                max_selections=int(spec.maximum or 0) or None,
                placeholder="Type a text and press Enter",
            )
        case "text":
            st.text_area(**named, height=_PROMPT_PX, placeholder="None")


def _range(spec: ParameterSpec) -> dict[str, Any]:
    as_kind = int if spec.kind == "int" else float
    bounds = {"min_value": spec.minimum, "max_value": spec.maximum, "step": spec.step}
    numbers = {name: None if bound is None else as_kind(bound) for name, bound in bounds.items()}
    return numbers if spec.kind == "int" else {**numbers, "format": "%0.4f" if spec.name == MOST_USD else "%0.2f"}


def for_widget(spec: ParameterSpec, value: Any) -> Any:
    """A parameter's value as its widget takes it."""
    match spec.kind:
        case "flag":
            return bool(value)
        case "list":
            return list(value or ())
        case "text":
            return value or ""
        case "float" if value is not None:
            return float(value)
        case _:
            return value


def _draw_origin(services: Services, sheet: Sheet, name: str, found: Effective | None) -> None:
    if found is None:
        return
    resettable = found.origin in {"mine", "conversation"} or (found.origin == "team" and sheet.user.is_admin)
    with st.container(horizontal=True, vertical_alignment="center"):
        empty = " · none" if found.value == "" else ""
        st.caption(f"{_ORIGINS[found.origin]}{empty}", width="stretch")
        if resettable:
            st.button(
                "Reset",
                key=f"reset_{sheet.model.id}_{name}",
                type="tertiary",
                help=f"Takes back {parameter_label(name).lower()}.",
                on_click=changes.reset,
                args=(services, sheet.model.id, name),
            )


def _draw_problem(services: Services, sheet: Sheet, name: str) -> None:
    """A value that was set for another model and that this one does not take."""
    st.error(literal(f"{sheet.resolution.problems[name]} Reset it to send."), icon=":material/error:")
    _draw_origin(services, sheet, name, sheet.resolution.values[name])


def _draw_keeping(services: Services, sheet: Sheet) -> None:
    here = bool(sheet.layers.conversation)
    given = (services, sheet.model.id)
    st.button(
        "Keep for this model",
        key="keep_as_mine",
        icon=":material/keep:",
        width="stretch",
        disabled=not here or bool(sheet.resolution.problems),
        help="What is set for this conversation holds for this model in all your chats.",
        on_click=changes.keep_as_mine,
        args=given,
    )
    if sheet.user.is_admin:
        st.button(
            "Make these the team's defaults",
            key="keep_as_team_default",
            icon=":material/groups:",
            width="stretch",
            disabled=not sheet.resolution.chosen() or bool(sheet.resolution.problems),
            help="Holds for this model for everybody who has set nothing else.",
            on_click=changes.keep_as_team_default,
            args=given,
        )


def _draw_presets(services: Services, sheet: Sheet, choose_model: Callable[[str], None]) -> None:
    presets = {preset.id: preset for preset in list_presets(services.database, user_id=sheet.user.id)}
    if presets:
        st.selectbox(
            "Preset",
            list(presets),
            key=PRESET,
            index=None,
            placeholder="Choose a preset",
            format_func=lambda preset_id: preset_title(presets[preset_id]),
            help="Brings its model, system prompt and parameters into this conversation.",
            on_change=changes.apply_preset,
            args=(services, sheet.model.id, choose_model),
        )
        echoes.note(PRESET)
    chosen = presets.get(st.session_state.get(PRESET, ""))
    if chosen and chosen.own:
        draw_own_preset(services, chosen)


def _draw_saving(services: Services, sheet: Sheet) -> None:
    with st.expander("Save as preset", type="compact"):
        st.text_input("Name", key=PRESET_NAME, max_chars=NAME_LIMIT)
        st.toggle("Share with the team", key=PRESET_SHARED)
        st.button(
            "Save preset",
            key="save_preset",
            on_click=partial(changes.save_as_preset, services, sheet.model.id),
            help="Model, system prompt and the parameters that were set. The same name replaces your own preset.",
        )


def draw_own_preset(services: Services, preset: Preset) -> None:
    """Sharing and deleting one's own preset."""
    key = f"share_{preset.id}"
    echoes.show(key, preset.shared)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("Shared", key=key, on_change=changes.share_own_preset, args=(services, preset.id, key))
        st.button(
            "Delete preset",
            key=f"delete_{preset.id}",
            type="tertiary",
            icon=":material/delete:",
            on_click=changes.delete_own_preset,
            args=(services, preset.id),
        )


def preset_title(preset: Preset) -> str:
    """A preset's name, and whose it is when it is not one's own."""
    return preset.name if preset.own else f"{preset.name} · by {preset.owner_name or 'somebody who left'}"
