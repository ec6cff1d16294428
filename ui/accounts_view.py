"""What the Settings page shows of one's own account. Callbacks ask who is acting: they run before the gate does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.accounts.changes import set_display_name, sign_out_everywhere
from core.accounts.users import User
from core.bootstrap import Services
from core.errors import AccountError, SwitchboardError
from ui.auth import change_own_password, current_user
from ui.markdown import literal
from ui.unbroken import once, unbroken

Work = Callable[[User], str]

_PROBLEM = "accounts_problem"
_NAME = "settings_display_name"
_CURRENT = "settings_current_password"
_NEW = "settings_new_password"
_REPEATED = "settings_repeated_password"


def draw_profile(services: Services, user: User) -> None:
    """The name that others see."""
    with st.form("profile", border=False):
        st.text_input("Name that others see", value=user.display_name, key=_NAME, autocomplete="name")
        role = "an administrator" if user.is_admin else "a member"
        st.caption(f"You sign in as **{literal(user.username)}** and are {role}{_groups(services, user)}.")
        draw_problem("profile")
        st.form_submit_button("Save name", on_click=act, args=(services, "profile", _save_name(services)))


def draw_password(services: Services, user: User) -> None:
    """Changing one's password; people who come through a provider have none here."""
    if user.source == "oidc":
        st.caption("You sign in through your identity provider. Change your password there.")
        return
    with st.form("password", border=False):
        st.text_input("Current password", key=_CURRENT, type="password", autocomplete="current-password")
        st.text_input("New password", key=_NEW, type="password", autocomplete="new-password")
        st.text_input("New password again", key=_REPEATED, type="password", autocomplete="new-password")
        st.caption("At least 8 characters. Your other sessions end.")
        draw_problem("password")
        st.form_submit_button("Change password", on_click=act, args=(services, "password", _save_password(services)))


def draw_sessions(services: Services) -> None:
    """Ending every session on every device."""
    st.caption("Ends your sessions in every browser, this one too.")
    draw_problem("sessions")
    st.button(
        "Sign out everywhere", icon=":material/devices:", on_click=act, args=(services, "sessions", _end_all(services))
    )


def _groups(services: Services, user: User) -> str:
    names = services.groups.names_of(user.id)
    if not names:
        return ""
    word = "group" if len(names) == 1 else "groups"
    return f", in the {word} {', '.join(f'**{literal(name)}**' for name in names)}"


@unbroken
def act(services: Services, place: str, work: Work, *, admin: bool = False) -> None:
    """Run a callback's work as the person who is signed in now, and keep what it says for the page.

    `work` returns the sentence for a toast, or raises; `place` is where `draw_problem` shows an error. Another click
    may have it start again: what must not be done twice, it does `once`.
    """
    user = current_user(services)
    if user is None or (admin and not user.is_admin):
        return
    try:
        done = once("work", partial(work, user))
    except SwitchboardError as error:
        st.session_state[_PROBLEM] = (place, str(error))
        return
    if done:
        st.toast(literal(done), icon=":material/check:")


def draw_problem(place: str) -> None:
    """The error of the last action in this place, once."""
    kept = st.session_state.get(_PROBLEM)
    if kept and kept[0] == place:
        del st.session_state[_PROBLEM]
        st.error(literal(kept[1]), icon=":material/error:")


def _save_name(services: Services) -> Work:
    def work(user: User) -> str:
        set_display_name(services.database, user_id=user.id, display_name=st.session_state[_NAME], actor_id=user.id)
        return "Name saved."

    return work


def _save_password(services: Services) -> Work:
    def work(user: User) -> str:
        current, new = st.session_state[_CURRENT], st.session_state[_NEW]
        if new != st.session_state[_REPEATED]:
            raise AccountError("The two new passwords differ.", next_step="Type the same one twice.")
        change_own_password(services, user=user, current=current, new=new)
        for field in (_CURRENT, _NEW, _REPEATED):
            st.session_state[field] = ""
        return "Password changed. Your other sessions have ended."

    return work


def _end_all(services: Services) -> Work:
    def work(user: User) -> str:
        sign_out_everywhere(services.database, user_id=user.id, actor_id=user.id)
        return ""

    return work
