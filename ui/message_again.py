"""The dialog that answers a message again: with another model, with other parameters, for this one answer."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.models import ModelSpec, ParameterValue
from core.catalog.parameters import SYSTEM_PROMPT, accepted_parameters
from core.chat.conversation import Message
from ui import chat, state
from ui.auth import current_user
from ui.formats import price
from ui.markdown import literal
from ui.parameter_changes import load_sheet, widget_value
from ui.parameters_form import draw_widget, for_widget


@st.dialog("Answer again")
def draw_again(services: Services, user: User, answer: Message) -> None:
    """Choose a model and parameters for another answer to the same message."""
    # A dialog's run does not pass the gate of app.py.
    if current_user(services) is None or answer.parent_id is None:
        return
    models = services.offered_models(user)
    model = _choose(models, answer)
    if model is None:
        st.warning("No model is offered.", icon=":material/error:")
        return
    values = _parameters(services, user, model)
    st.caption("Holds for this answer only. The earlier answer stays beside it.")
    if st.button("Answer again", key="again_start", type="primary"):
        chat.answer_again(services, answer.parent_id, model.id, values)
        st.rerun()


def _choose(models: Mapping[str, ModelSpec], answer: Message) -> ModelSpec | None:
    ids = list(models)
    if not ids:
        return None
    active = state.active_model()
    wanted = active if active is not None and active != answer.served_model else answer.served_model
    chosen: str | None = st.selectbox(
        "Model",
        ids,
        key=f"again_model_{answer.id}",
        index=ids.index(wanted) if wanted is not None and wanted in models else 0,
        format_func=lambda model_id: f"{models[model_id].label} · {price(models[model_id].prices)}",
    )
    return models.get(chosen) if chosen is not None else None


def _parameters(services: Services, user: User, model: ModelSpec) -> dict[str, ParameterValue | None]:
    """The parameters that differ from those in force; None for one that is emptied."""
    sheet = load_sheet(services, user, model)
    changed: dict[str, ParameterValue | None] = {}
    with st.expander("Parameters", type="compact"):
        for spec in accepted_parameters(model):
            if spec.name == SYSTEM_PROMPT:
                continue
            found = sheet.resolution.values.get(spec.name)
            held = None if found is None or spec.name in sheet.resolution.problems else found.value
            key = f"again_{model.id}_{spec.name}"
            st.session_state.setdefault(key, for_widget(spec, held))
            draw_widget(spec, key)
            value = widget_value(st.session_state[key])
            if value != held and not (spec.kind == "flag" and not value and held is None):
                changed[spec.name] = value
        for name in sheet.resolution.problems:
            st.caption(literal(f"{name} is not taken by {model.label}."))
    return changed
