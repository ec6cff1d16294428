"""What the Admin page shows of money and speed: budgets and limits per minute, how they are set and changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from core.accounts.preferences import save_team_default
from core.accounts.users import User
from core.bootstrap import Services
from core.costs.limits import Budget, RateLimit, budget_words, rate_words, whom_words
from ui import echoes
from ui.accounts_view import Work, act, draw_problem
from ui.budget_line import amount
from ui.budgets_watch import draw_edge, draw_refusals
from ui.choices import draw_managed, manage
from ui.clicks import once_here, times
from ui.limit_form import Fields, draw_budget_fields, draw_rate_fields, read_budget, read_rate_limit
from ui.limit_words import as_sentence, model_label
from ui.markdown import literal
from ui.tables import list_height

_ZONE = "budgets_time_zone"
_PER_MINUTE = ("Requests a minute", "Tokens a minute")
_AS_ADMIN = {"admin": True}
_NO_BUDGETS = (
    "There are no budgets: everybody may spend what the providers bill. The usual first one gives each person an "
    "amount a month."
)


def draw_budgets(services: Services, people: Sequence[User]) -> None:
    """Everything about budgets and limits per minute."""
    st.subheader("Budgets", anchor=False)
    _draw_zone(services)
    _draw_kind(services, people, "budget")
    st.subheader("Near the edge", anchor=False)
    draw_edge(services, people)
    st.subheader("Limits per minute", anchor=False)
    st.caption(
        "Requests and tokens of the last 60 seconds, titles and probes left out of a person's own. What a provider "
        "allows is another matter: see the Models page."
    )
    _draw_kind(services, people, "rate")
    st.subheader("Refused lately", anchor=False)
    draw_refusals(services, people)


def _draw_kind(services: Services, people: Sequence[User], kind: str) -> None:
    """The list of one kind of limit, adding one, and changing the chosen one."""
    what, plural = ("budget", "budgets") if kind == "budget" else ("limit", "limits")
    limits: Sequence[Budget | RateLimit] = (
        services.budgets.budgets if kind == "budget" else services.budgets.rate_limits
    )
    _draw_add(services, people, kind, what)
    if not limits:
        if kind == "budget":
            st.info(_NO_BUDGETS, icon=":material/savings:")
        return
    st.dataframe(
        pd.DataFrame(_budget_columns(services) if kind == "budget" else _rate_columns(services)),
        hide_index=True,
        height=list_height(len(limits)),
        placeholder="no limit",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in _PER_MINUTE},
        alt=f"The {plural} of this installation",
    )
    by_id = {limit.id: limit for limit in limits}
    titles = {limit.id: _title(services, limit) for limit in limits}
    chosen = draw_managed(f"{kind}_chosen", f"Change a {what}", titles, placeholder=f"Choose a {what}")
    draw_problem(kind)
    if chosen in by_id:
        _draw_change(services, people, kind, by_id[chosen])


def _draw_add(services: Services, people: Sequence[User], kind: str, what: str) -> None:
    fields = Fields(f"{kind}_new_{times(f'{kind}_add')}")
    # Another one for each that was added, so closed again.
    key = fields.key("adding")
    popover = st.popover(f"Add a {what}", icon=":material/add:", key=key, on_change="rerun", width=480)
    with popover:
        _draw_fields(services, people, kind, fields, None)
        draw_problem(f"{kind}_add")
        st.button(
            f"Add {what}",
            key=fields.key("add"),
            type="primary",
            on_click=act,
            args=(services, f"{kind}_add", _add(services, kind, fields)),
            kwargs=_AS_ADMIN,
        )


def _draw_change(services: Services, people: Sequence[User], kind: str, limit: Budget | RateLimit) -> None:
    # A changed limit has other fields: what was typed before the change must not stand in them.
    fields = Fields(f"{kind}_{limit.id}_{hashlib.blake2b(repr(limit).encode(), digest_size=6).hexdigest()}")
    with st.container(border=True):
        _draw_fields(services, people, kind, fields, limit)
        with st.container(horizontal=True):
            st.button(
                "Save",
                key=fields.key("save"),
                type="primary",
                on_click=act,
                args=(services, kind, _save(services, kind, fields, limit)),
                kwargs=_AS_ADMIN,
            )
            with st.popover("Remove", icon=":material/delete:"):
                st.markdown(f"Removes **{literal(_title(services, limit))}**. From then on it binds nobody.")
                st.button(
                    "Remove it",
                    key=fields.key("remove"),
                    on_click=act,
                    args=(services, kind, _remove(services, kind, limit)),
                    kwargs=_AS_ADMIN,
                )


def _draw_fields(
    services: Services, people: Sequence[User], kind: str, fields: Fields, limit: Budget | RateLimit | None
) -> None:
    if kind == "budget":
        draw_budget_fields(services, people, fields, limit if isinstance(limit, Budget) else None)
    else:
        draw_rate_fields(services, people, fields, limit if isinstance(limit, RateLimit) else None)


def _draw_zone(services: Services) -> None:
    zones = sorted(available_timezones())
    held = str(services.budgets.zone)
    echoes.show(_ZONE, held if held in zones else "UTC")
    st.selectbox(
        "Days, weeks and months begin at midnight in",
        zones,
        key=_ZONE,
        width=320,
        help="The team's time zone. Weeks begin on Monday. A call counts in the period in which it began.",
        on_change=act,
        args=(services, "budget", _save_zone(services)),
        kwargs=_AS_ADMIN,
    )


def _budget_columns(services: Services) -> Mapping[str, list[Any]]:
    budgets = services.budgets.budgets
    return {
        "For": [as_sentence(whom_words(budget.whom, services.budgets.people)) for budget in budgets],
        "Amount": [f"{amount(budget.amount_usd)} a {budget.period}" for budget in budgets],
        "When spent": ["refuses" if budget.hard else "warns only" for budget in budgets],
        "Warns from": [f"{budget.warn_percent} %" for budget in budgets],
        "Unpriced models": ["allowed" if budget.allow_unpriced or not budget.hard else "refused" for budget in budgets],
    }


def _rate_columns(services: Services) -> Mapping[str, list[Any]]:
    limits, models = services.budgets.rate_limits, services.registry.current().models
    return {
        "For": [as_sentence(whom_words(limit.whom, services.budgets.people)) for limit in limits],
        "Model": [model_label(models, limit.model_id) or limit.model_id or "any" for limit in limits],
        "Requests a minute": [limit.requests_per_minute for limit in limits],
        "Tokens a minute": [limit.tokens_per_minute for limit in limits],
    }


def _title(services: Services, limit: Budget | RateLimit) -> str:
    people = services.budgets.people
    if isinstance(limit, Budget):
        return f"{budget_words(limit, people)}, {'refuses' if limit.hard else 'warns only'}"
    return rate_words(limit, people, model=model_label(services.registry.current().models, limit.model_id))


def _read(kind: str) -> Callable[[Fields, str], Budget | RateLimit]:
    return read_budget if kind == "budget" else read_rate_limit


def _add(services: Services, kind: str, fields: Fields) -> Work:
    def work(admin: User) -> str:
        saved = services.budgets.save(_read(kind)(fields, ""), actor_id=admin.id)
        return f"Added: {_title(services, saved)}."

    return lambda admin: once_here(f"{kind}_add", fields.prefix, lambda: work(admin)) or ""


def _save(services: Services, kind: str, fields: Fields, limit: Budget | RateLimit) -> Work:
    def work(admin: User) -> str:
        saved = services.budgets.save(_read(kind)(fields, limit.id), actor_id=admin.id)
        return f"Saved: {_title(services, saved)}."

    return work


def _remove(services: Services, kind: str, limit: Budget | RateLimit) -> Work:
    def work(admin: User) -> str:
        title = _title(services, limit)
        services.budgets.delete(limit, actor_id=admin.id)
        manage(f"{kind}_chosen", None)
        return f"Removed: {title}."

    return work


def _save_zone(services: Services) -> Work:
    def work(admin: User) -> str:
        if not echoes.is_changed(_ZONE):
            return ""
        zone = st.session_state[_ZONE]
        save_team_default(services.database, name="time_zone", value=zone, actor_id=admin.id)
        services.budgets.recount()
        return f"Budgets follow the calendar of {zone} now."

    return work
