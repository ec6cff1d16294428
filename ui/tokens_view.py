"""API tokens on the Settings page: making one, which is shown once, the list with its last use, and revoking."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from functools import partial

import streamlit as st

from core.accounts.tokens import SCOPES, ApiToken, NewToken, create_token, list_tokens, revoke_token
from core.accounts.users import User
from core.bootstrap import Services
from core.costs.cell_values import parse_dollars
from core.costs.words import money
from core.errors import AccountError
from ui.accounts_view import Work, act, draw_problem
from ui.clicks import once_here, times
from ui.markdown import literal
from ui.times import local_time, viewer_zone
from ui.unbroken import once, unbroken

_MAKING = "make_token"
_PLACE = "tokens"
_NAME = "token_name"
_SCOPES = "token_scopes"
_MODELS = "token_models"
_BUDGET = "token_budget"
_RPM = "token_rpm"
_EXPIRES = "token_expires"
_MADE = "token_made"
_MEANS = {
    "chat": "chat: call models",
    "usage": "usage: read your own figures",
    "admin": "admin: read everybody's figures and the metrics",
}


def draw_tokens(services: Services, user: User) -> None:
    """One's own tokens, and a form for a new one."""
    st.caption("For scripts: the same models through OpenAI's API at `/v1` of this address, on your budgets.")
    _draw_made(user)
    for token in list_tokens(services.database, user_id=user.id):
        _draw_row(services, token)
    draw_problem(_PLACE)
    with st.expander("New token", icon=":material/add:"), st.form("new_token", border=False):
        _draw_form(services, user)


def _draw_made(user: User) -> None:
    """The token that has just been made: it stays until its owner, and nobody else, says that they have it."""
    owner_id, text = st.session_state.get(_MADE, ("", ""))
    if owner_id != user.id:
        return
    with st.container(border=True, key="made_token"):
        st.markdown("**Copy your new token now.** It is not shown again.")
        st.code(text, language=None, wrap_lines=True)
        st.button("I have copied it", on_click=_forget, type="primary")


@unbroken
def _forget() -> None:
    st.session_state.pop(_MADE, None)


def _draw_row(services: Services, token: ApiToken) -> None:
    # Columns: in a row that wraps, a long line would push the button below itself.
    told, end = st.columns([4, 1], vertical_alignment="center")
    with told, st.container(gap=None):
        st.markdown(f"**{literal(token.name)}**")
        st.caption(literal(_words(token)))
    with (
        end,
        st.container(horizontal=True, horizontal_alignment="right"),
        st.popover("Revoke", icon=":material/key_off:", type="tertiary", key=f"end_token_{token.id}"),
    ):
        st.markdown("Scripts that use it stop working at once. Answers that have begun come to their end.")
        st.button(
            "Revoke it",
            key=f"revoke_{token.id}",
            type="primary",
            on_click=act,
            args=(services, _PLACE, _revoke(services, token)),
        )


def _draw_form(services: Services, user: User) -> None:
    st.text_input("Name", key=_NAME, max_chars=80, placeholder="What it is for, such as nightly report")
    scopes = [scope for scope in SCOPES if scope != "admin" or user.is_admin]
    st.multiselect("What it may do", scopes, default=["chat"], key=_SCOPES, format_func=_MEANS.__getitem__)
    st.multiselect("Models", list(services.offered_models(user)), key=_MODELS, placeholder="All that you may use")
    with st.container(horizontal=True):
        st.text_input("Budget a month, USD", key=_BUDGET, placeholder="None of its own")
        st.number_input("Requests a minute", min_value=1, value=None, key=_RPM, placeholder="No limit")
        st.date_input("Works until (UTC)", value=None, min_value="today", key=_EXPIRES)
    drawn = times(_MAKING)
    st.form_submit_button(
        "Make token", key=f"make_token_{drawn}", on_click=act, args=(services, _PLACE, _make(services, str(drawn)))
    )


def _make(services: Services, drawn: str) -> Work:
    def work(user: User) -> str:
        kept = st.session_state
        new = NewToken(
            name=kept[_NAME],
            scopes=tuple(kept[_SCOPES]),
            models=tuple(kept[_MODELS]) or None,
            budget_usd=_dollars(kept[_BUDGET]),
            rpm_limit=kept[_RPM],
            expires_at=None if kept[_EXPIRES] is None else datetime.combine(kept[_EXPIRES], time.max),
        )
        text, token = once("token", partial(create_token, services.database, user, new, actor_id=user.id))
        kept[_MADE] = (user.id, text)
        kept[_NAME] = kept[_BUDGET] = ""
        return f"{token.name} is made."

    # A second one would be nobody's: only the last is shown.
    return lambda user: once_here(_MAKING, drawn, lambda: work(user)) or ""


def _revoke(services: Services, token: ApiToken) -> Work:
    def work(user: User) -> str:
        revoke_token(services.database, user, token_id=token.id, actor_id=user.id)
        return f"{token.name} is revoked."

    return work


def _dollars(text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        return parse_dollars(text)
    except ValueError:
        raise AccountError(f"{text[:20]} is no amount.", next_step="Write it like 25 or 2.50.") from None


def _words(token: ApiToken) -> str:
    told = [f"ends in {token.ending}", ", ".join(scope for scope in SCOPES if scope in token.scopes)]
    if token.models is not None:
        told.append(f"only {', '.join(token.models)}")
    if token.budget_usd is not None:
        told.append(f"{money(token.budget_usd)} a month")
    if token.rpm_limit is not None:
        told.append(f"{token.rpm_limit:,} requests a minute")
    if token.expires_at is not None:
        told.append(f"until {_day(token.expires_at)}")
    told.append(f"last used {_day(token.last_used_at)}" if token.last_used_at else "never used")
    return " · ".join(told)


def _day(moment: datetime) -> str:
    return f"{local_time(moment, viewer_zone()):%Y-%m-%d %H:%M}"
