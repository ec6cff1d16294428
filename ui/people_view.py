"""What the Admin page shows of people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.changes import disable_user, enable_user, reset_password, set_role, sign_out_everywhere
from core.accounts.groups import Groups
from core.accounts.passwords import generate_password
from core.accounts.users import User, create_user
from core.bootstrap import Services
from ui.accounts_view import Work, act, draw_problem
from ui.clicks import once_here, times
from ui.markdown import literal
from ui.tables import time_column, utc_times
from ui.unbroken import once, unbroken

_ADDED = "people_added"
_ADDING = "people_adding"
_NAME = "people_name"
_USERNAME = "people_username"
_ROLE = "people_role"
_CHOSEN = "people_chosen"
_HANDED_OVER = "people_one_time_password"

ROLES = {"member": "Member", "admin": "Administrator"}


def draw_people(people: Sequence[User], groups: Groups) -> None:
    """Everybody, one row each."""
    columns: dict[str, list[Any]] = {
        "Name": [user.display_name for user in people],
        "Username": [user.username for user in people],
        "Role": [ROLES[user.role] for user in people],
        "Signs in by": ["Password" if user.source == "password" else "Identity provider" for user in people],
        "Status": [_status(user) for user in people],
        "Last seen": utc_times([user.last_seen_at for user in people]),
        "Groups": [", ".join(groups.names_of(user.id)) for user in people],
    }
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        column_config={"Last seen": time_column("Last seen")},
        placeholder="never",
        alt="The people of this installation",
    )


def draw_add_person(services: Services) -> None:
    """The form for a new person, and their one-time password until it is dismissed."""
    drawn = times(_ADDED)
    # Another one for each person who was added, so closed again: it would hide their one-time password.
    popover = st.popover("Add a person", icon=":material/person_add:", key=f"{_ADDING}_{drawn}", on_change="rerun")
    with popover, st.form("add_person", border=False):
        st.text_input("Name that others see", key=_NAME, autocomplete="off")
        st.text_input("Username", key=_USERNAME, autocomplete="off")
        st.segmented_control("Role", ROLES, key=_ROLE, default="member", format_func=ROLES.__getitem__, required=True)
        draw_problem("add")
        work = _add(services, str(drawn))
        st.form_submit_button(
            "Add", key=f"add_person_{drawn}", type="primary", on_click=_act, args=(services, "add", work)
        )


def draw_handed_over() -> None:
    """A one-time password that was just made. It is nowhere else: the store has only its hash."""
    kept = st.session_state.get(_HANDED_OVER)
    if kept is None:
        return
    username, password = kept
    with st.container(border=True):
        st.markdown(
            f"One-time password of **{literal(username)}**. It is shown only here: pass it on, then close this."
        )
        st.code(password, language=None)
        st.button("Done", key="people_done", on_click=_forget_handed_over)


@unbroken
def _forget_handed_over() -> None:
    st.session_state.pop(_HANDED_OVER, None)


def draw_manage(services: Services, people: Sequence[User]) -> None:
    """What can be done about one person."""
    by_id = {user.id: user for user in people}
    chosen = st.selectbox(
        "Manage",
        by_id,
        key=_CHOSEN,
        index=None,
        placeholder="Choose a person",
        format_func=lambda key: person_title(by_id[key]),
    )
    if chosen is None:
        return
    draw_problem("manage")
    with st.container(horizontal=True):
        for label, icon, work in _offers(services, by_id[chosen]):
            st.button(label, icon=f":material/{icon}:", on_click=_act, args=(services, "manage", work))


@unbroken
def _act(services: Services, place: str, work: Work) -> None:
    act(services, place, work, admin=True)


def _offers(services: Services, user: User) -> list[tuple[str, str, Work]]:
    database, target = services.database, user.id

    def demote(admin: User) -> str:
        set_role(database, user_id=target, role="member", actor_id=admin.id)
        return f"{user.display_name} is a member now."

    def promote(admin: User) -> str:
        set_role(database, user_id=target, role="admin", actor_id=admin.id)
        return f"{user.display_name} is an administrator now."

    def disable(admin: User) -> str:
        disable_user(database, user_id=target, actor_id=admin.id)
        return f"{user.display_name} can no longer sign in."

    def enable(admin: User) -> str:
        enable_user(database, user_id=target, actor_id=admin.id)
        return f"{user.display_name} can sign in again."

    def reset(admin: User) -> str:
        password = once("password", generate_password)
        once("reset", partial(reset_password, database, user_id=target, new=password, actor_id=admin.id))
        st.session_state[_HANDED_OVER] = (user.username, password)
        return ""

    def end_sessions(admin: User) -> str:
        sign_out_everywhere(database, user_id=target, actor_id=admin.id)
        return f"Every session of {user.display_name} has ended."

    role = ("Make a member", "person", demote) if user.is_admin else ("Make an administrator", "shield_person", promote)
    access = ("Disable", "person_off", disable) if user.disabled_at is None else ("Enable", "person_check", enable)
    offers: list[tuple[str, str, Work]] = [role, access, ("Sign out everywhere", "devices", end_sessions)]
    return [*offers, ("Reset password", "password", reset)] if user.source == "password" else offers


def _add(services: Services, drawn: str) -> Work:
    def work(admin: User) -> str:
        password = once("password", generate_password)
        create = partial(
            create_user,
            services.database,
            username=st.session_state[_USERNAME],
            display_name=st.session_state[_NAME],
            password=password,
            one_time=True,
            role=st.session_state[_ROLE],
            actor_id=admin.id,
        )
        user = once("create", create)
        st.session_state[_HANDED_OVER] = (user.username, password)
        st.session_state[_NAME] = st.session_state[_USERNAME] = ""
        return f"{user.display_name} was added."

    return lambda admin: once_here(_ADDED, drawn, lambda: work(admin)) or ""


def _status(user: User) -> str:
    if user.disabled_at is not None:
        return "Disabled"
    return "Has a one-time password" if user.password_is_one_time else "Active"


def person_title(user: User) -> str:
    """Somebody in a list to choose from."""
    return f"{user.display_name} ({user.username})"
