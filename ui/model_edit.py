"""The form with which an administrator changes a model for everybody."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import streamlit as st

from core.accounts.users import User, list_users
from core.bootstrap import Services
from core.catalog.access import ADMIN, EVERYONE, access_words, group_of
from core.catalog.models import GROUP, ModelSpec
from core.catalog.overrides import Override, difference
from core.catalog.recommend import use_cases
from ui.accounts_view import Work, act, draw_problem

_PLACE = "model_edit"
_ROLES = (EVERYONE, "member", ADMIN)
_FIELDS = {
    "enabled": "switched on",
    "label": "label",
    "use_cases": "use cases",
    "fallbacks": "fallbacks",
    "access": "access",
    "rpm_limit": "requests per minute",
    "tpm_limit": "tokens per minute",
}


def draw_edit(services: Services, model: ModelSpec, models: Mapping[str, ModelSpec]) -> None:
    """The form, filled in with what is in force."""
    override = services.registry.override(model.id)
    # Other values in force are other fields: what somebody left in a field must not look like it.
    prefix = _prefix(model, override)
    draw_problem(_PLACE)
    with st.form(prefix, border=True):
        st.markdown("**Change it for everybody**")
        st.toggle("Switched on", value=model.enabled, key=f"{prefix}_enabled")
        left, right = st.columns(2)
        left.text_input("Label", value=model.label, max_chars=120, key=f"{prefix}_label")
        _draw_choices(right, "Use cases", model.use_cases, use_cases(models), key=f"{prefix}_use_cases")
        _draw_fallbacks(left, model, models, key=f"{prefix}_fallbacks")
        _draw_choices(right, "Who may use it", model.access, _people(services, model), key=f"{prefix}_access")
        left.number_input(
            "Requests per minute", 1, None, model.rpm_limit, key=f"{prefix}_rpm_limit", placeholder="None"
        )
        right.number_input("Tokens per minute", 1, None, model.tpm_limit, key=f"{prefix}_tpm_limit", placeholder="None")
        st.caption("Administrators may use every model that is switched on. A changed model is offered at once.")
        work = _save(services, model.id, prefix)
        st.form_submit_button(
            "Save", type="primary", on_click=act, args=(services, _PLACE, work), kwargs={"admin": True}
        )
    _draw_changed(services, model, override)


def _draw_changed(services: Services, model: ModelSpec, override: Override) -> None:
    changed = [_FIELDS[name] for name in override.set_fields()]
    if not changed:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Differs from the registry: {', '.join(changed)}.", width="stretch")
        st.button(
            "Back to the registry",
            icon=":material/undo:",
            on_click=act,
            args=(services, _PLACE, _restore(services, model.id)),
            kwargs={"admin": True},
        )


def _draw_fallbacks(
    place: st.delta_generator.DeltaGenerator, model: ModelSpec, models: Mapping[str, ModelSpec], *, key: str
) -> None:
    others = [model_id for model_id in dict.fromkeys([*models, *model.fallbacks]) if model_id != model.id]
    place.multiselect(
        "Falls back to, in this order",
        others,
        default=list(model.fallbacks),
        key=key,
        format_func=lambda model_id: models[model_id].label if model_id in models else model_id,
        placeholder="No other model",
    )


def _draw_choices(
    place: st.delta_generator.DeltaGenerator, label: str, chosen: Sequence[str], known: Sequence[str], *, key: str
) -> None:
    options = list(dict.fromkeys([*known, *chosen]))
    place.multiselect(
        label,
        options,
        default=list(dict.fromkeys(chosen)),
        key=key,
        format_func=lambda word: access_words([word]),
        accept_new_options=True,
        placeholder="None",
    )


def _save(services: Services, model_id: str, prefix: str) -> Work:
    def work(admin: User) -> str:
        unchanged = services.registry.unchanged(model_id)
        if unchanged is None:
            return ""
        values = {name: st.session_state[f"{prefix}_{name}"] for name in _FIELDS}
        wanted = Override(
            enabled=values["enabled"],
            label=" ".join(values["label"].split()),
            use_cases=tuple(values["use_cases"]),
            fallbacks=tuple(values["fallbacks"]),
            access=tuple(values["access"]),
            rpm_limit=values["rpm_limit"],
            tpm_limit=values["tpm_limit"],
        )
        services.registry.save_override(model_id, difference(unchanged, wanted), actor_id=admin.id)
        return f"{wanted.label} was changed."

    return work


def _restore(services: Services, model_id: str) -> Work:
    def work(admin: User) -> str:
        services.registry.save_override(model_id, Override(), actor_id=admin.id)
        return "The registry decides again."

    return work


def _prefix(model: ModelSpec, override: Override) -> str:
    state = hashlib.blake2b(repr((model.id, override)).encode(), digest_size=8).hexdigest()
    return f"model_edit_{state}"


def _people(services: Services, model: ModelSpec) -> list[str]:
    # A group that is chosen already stands as it is written there, which may differ in case.
    chosen = {name.casefold() for word in model.access if (name := group_of(word)) is not None}
    groups = [group.name for group in services.groups.current() if group.name.casefold() not in chosen]
    people = [user.username for user in list_users(services.database)]
    return [*_ROLES, *(f"{GROUP}{name}" for name in groups), *people]
