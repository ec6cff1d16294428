"""The line-up of a new comparison: a chip for every model, behind each its parameters; saved line-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.arena.asking import layers_of
from core.arena.line_ups import (
    MOST,
    NAME_LIMIT,
    Entry,
    LineUp,
    delete_line_up,
    keep_in_use,
    list_line_ups,
    save_line_up,
)
from core.bootstrap import Services
from core.catalog.effective import resolve
from core.catalog.models import ModelSpec
from core.catalog.parameters import SYSTEM_PROMPT, ParameterSpec, accepted_parameters
from core.errors import SwitchboardError
from ui import compare_state, echoes, state
from ui.auth import current_user
from ui.compare_begin import first_line_up
from ui.compare_state import Seat
from ui.echoes import is_changed
from ui.formats import short_price
from ui.markdown import literal
from ui.parameter_changes import widget_value
from ui.parameters_form import draw_widget, for_widget
from ui.unbroken import unbroken

_ADD = "add_to_line_up"
_NAME = "line_up_name"
_FORM_PX, _FORM_WIDTH_PX = 480, 380
_GONE = "This model is no longer offered. Choose another one."


def draw_line_up(services: Services, user: User) -> None:
    """The models that the next prompt goes to."""
    if compare_state.line_up() is None:
        compare_state.set_line_up(first_line_up(services, user))
    seats, models = compare_state.line_up() or (), services.offered_models(user)
    with st.container(horizontal=True, key="line_up", gap="xsmall", vertical_alignment="center"):
        for seat in seats:
            _draw_seat(services, user, seat, models)
        if len(seats) < MOST:
            _draw_add(services, user, models)
        _draw_saved(services, user)


def _draw_seat(services: Services, user: User, seat: Seat, models: Mapping[str, ModelSpec]) -> None:
    model = models.get(seat.entry.model_id)
    gone = ":material/error:" if model is None else None
    place = st.popover(
        literal(model.label if model else seat.entry.model_id),
        key=_seat_key(seat.id),
        icon=gone or (":material/tune:" if seat.entry.parameters else None),
        help=_GONE if gone else "Model, system prompt and parameters of this column",
        wrap=False,
        on_change="rerun",
    )
    # Drawn also while it is closed, and empty: a popover looks for room when it opens, before the form has come.
    form = place.container(height=_FORM_PX, width=_FORM_WIDTH_PX, border=False)
    if not place.open:
        return
    with form.container():
        _draw_model(services, seat, models)
        if model is not None:
            _draw_parameters(services, user, seat, model)
        given = (services, seat.id)
        with st.container(horizontal=True):
            st.button("Duplicate", key=f"twice_{seat.id}", icon=":material/content_copy:", on_click=_twice, args=given)
            st.button("Remove", key=f"remove_{seat.id}", icon=":material/close:", on_click=_remove, args=given)


def _seat_key(seat_id: str) -> str:
    return f"seat_{seat_id}"


def _draw_model(services: Services, seat: Seat, models: Mapping[str, ModelSpec]) -> None:
    key, ids = f"model_of_{seat.id}", list(models)
    known = seat.entry.model_id if seat.entry.model_id in models else None
    if known is None:
        st.warning(_GONE, icon=":material/error:")
    echoes.show(key, known)
    st.selectbox(
        "Model", ids, key=key, format_func=partial(_named, models), on_change=_take_model, args=(services, seat.id, key)
    )


def _draw_parameters(services: Services, user: User, seat: Seat, model: ModelSpec) -> None:
    resolution = resolve(model, layers_of(services.database, seat.entry, user_id=user.id))
    specs = accepted_parameters(model)
    for spec in sorted(specs, key=lambda spec: spec.name != SYSTEM_PROMPT):
        found, problem = resolution.values.get(spec.name), resolution.problems.get(spec.name)
        key = f"value_{seat.id}_{model.id}_{spec.name}"
        echoes.show(key, for_widget(spec, None if found is None or problem else found.value))
        on_change: dict[str, Any] = {"on_change": _set, "args": (services, seat.id, spec, key)}
        draw_widget(spec, key, **on_change)
        if problem:
            st.error(literal(problem))
    unknown = [name for name in resolution.problems if name not in {spec.name for spec in specs}]
    for name in unknown:
        st.error(literal(resolution.problems[name]), icon=":material/error:")
        st.button("Take it back", key=f"unset_{seat.id}_{name}", on_click=_unset, args=(services, seat.id, name))


def _draw_add(services: Services, user: User, models: Mapping[str, ModelSpec]) -> None:
    hidden = read_preferences(load_preferences(services.database, user.id)).hidden_models
    # What was added is in the line-up: the box is for the next one.
    echoes.show(_ADD, None)
    st.selectbox(
        "Add a model",
        [name for name in models if name not in hidden],
        key=_ADD,
        index=None,
        placeholder="Add a model",
        format_func=partial(_named, models),
        label_visibility="collapsed",
        width=190,
        on_change=_add,
        args=(services,),
    )


def _draw_saved(services: Services, user: User) -> None:
    place = st.popover("Line-ups", key="line_ups", icon=":material/bookmarks:", type="tertiary", on_change="rerun")
    # Room for a list while it is closed, too: a popover looks for room when it opens.
    form = place.container(width=_FORM_WIDTH_PX)
    if not place.open:
        form.caption("Saved line-ups")
        return
    with form.container():
        saved = list_line_ups(services.database, user_id=user.id)
        for line_up in saved:
            _draw_one_saved(services, line_up)
        if not saved:
            st.caption("Save the models and parameters that you compare often.")
        st.text_input("Save this line-up as", key=_NAME, max_chars=NAME_LIMIT, placeholder="Cheap ones")
        st.button("Save", key="save_line_up", icon=":material/bookmark_add:", on_click=_save, args=(services,))


def _draw_one_saved(services: Services, line_up: LineUp) -> None:
    models = services.registry.current().models
    labels = [models[entry.model_id].label if entry.model_id in models else entry.model_id for entry in line_up.entries]
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="xsmall"):
        st.button(
            literal(line_up.name),
            key=f"use_{line_up.id}",
            type="tertiary",
            width="stretch",
            wrap=False,
            help=literal(", ".join(labels)),
            on_click=_use,
            args=(services, line_up.entries),
        )
        st.button(
            "",
            key=f"drop_{line_up.id}",
            type="tertiary",
            icon=":material/delete:",
            help=f"Delete {literal(line_up.name)}",
            on_click=_drop,
            args=(services, line_up.id),
        )


def _named(models: Mapping[str, ModelSpec], model_id: str) -> str:
    return f"{models[model_id].label} · {short_price(models[model_id].prices)}"


@unbroken
def _add(services: Services) -> None:
    chosen, seats = st.session_state.get(_ADD), list(compare_state.line_up() or ())
    if isinstance(chosen, str) and len(seats) < MOST and is_changed(_ADD):
        _keep(services, [*(seat.entry for seat in seats), Entry(model_id=chosen)], seats)


@unbroken
def _take_model(services: Services, seat_id: str, key: str) -> None:
    chosen = st.session_state.get(key)
    if isinstance(chosen, str) and is_changed(key):
        _replace(services, seat_id, lambda entry: replace(entry, model_id=chosen))


@unbroken
def _set(services: Services, seat_id: str, spec: ParameterSpec, key: str) -> None:
    if not is_changed(key):
        return
    user, held = current_user(services), widget_value(st.session_state[key])

    def change(entry: Entry) -> Entry:
        value = held
        if value is None and spec.name == SYSTEM_PROMPT and user and _has_prompt(services, user, entry.model_id):
            # Emptied: none, although the model has one of its own.
            value = ""
        others = {name: held for name, held in entry.parameters.items() if name != spec.name}
        return replace(entry, parameters=others if value is None else {**others, spec.name: value})

    _replace(services, seat_id, change)


def _has_prompt(services: Services, user: User, model_id: str) -> bool:
    """Whether a model has a system prompt without the line-up."""
    model = services.registry.current().get(model_id)
    if model is None:
        return False
    below = resolve(model, layers_of(services.database, Entry(model_id=model_id), user_id=user.id))
    return SYSTEM_PROMPT in below.values


@unbroken
def _unset(services: Services, seat_id: str, name: str) -> None:
    def change(entry: Entry) -> Entry:
        return replace(entry, parameters={held: value for held, value in entry.parameters.items() if held != name})

    _replace(services, seat_id, change)


def _replace(services: Services, seat_id: str, change: Any) -> None:
    seats = compare_state.line_up() or ()
    changed = [replace(seat, entry=change(seat.entry)) if seat.id == seat_id else seat for seat in seats]
    _keep(services, [seat.entry for seat in changed], changed)
    # To Streamlit a popover of another label or icon is another one, which would be closed.
    st.session_state[_seat_key(seat_id)] = True


@unbroken
def _twice(services: Services, seat_id: str) -> None:
    seats = list(compare_state.line_up() or ())
    entry = next((seat.entry for seat in seats if seat.id == seat_id), None)
    if entry is not None and len(seats) < MOST:
        _keep(services, [*(seat.entry for seat in seats), entry], seats)


@unbroken
def _remove(services: Services, seat_id: str) -> None:
    seats = [seat for seat in compare_state.line_up() or () if seat.id != seat_id]
    _keep(services, [seat.entry for seat in seats], seats)


@unbroken
def _use(services: Services, entries: Sequence[Entry]) -> None:
    _keep(services, entries, ())


def _keep(services: Services, entries: Sequence[Entry], seats: Sequence[Seat]) -> None:
    """Keep the line-up; those of `seats` that lead it keep their widgets."""
    compare_state.keep_line_up(entries, seats)
    user = current_user(services)
    if user is not None:
        keep_in_use(services.database, user_id=user.id, entries=entries)


@unbroken
def _save(services: Services) -> None:
    user, name = current_user(services), str(st.session_state.get(_NAME) or "")
    if user is None:
        return
    entries = [seat.entry for seat in compare_state.line_up() or ()]
    try:
        save_line_up(services.database, user_id=user.id, name=name, entries=entries)
    except SwitchboardError as error:
        state.leave_notice(str(error))
        return
    st.session_state[_NAME] = ""
    st.toast(f"{literal(' '.join(name.split()))} is saved.", icon=":material/check:")


@unbroken
def _drop(services: Services, line_up_id: str) -> None:
    user = current_user(services)
    if user is not None:
        delete_line_up(services.database, user_id=user.id, line_up_id=line_up_id)
