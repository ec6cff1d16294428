"""Who is using this tab: the gate in front of every page, the guard inside it, signing in and out.

The only module that knows streamlit-authenticator. The password form, the lock and the token are ours (core.accounts);
the library's component puts the cookie into the browser. Its own form counts failures per tab only and sleeps in every
run, and its own reading of the cookie draws a component in every page; here the cookie comes with the connection, so a
reload is signed in at once. docs/adr/0003-sign-in.md has the whole story.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from functools import partial

import streamlit as st

from core.accounts.changes import change_password, choose_password
from core.accounts.first_admin import create_first_admin, refuse_second_first_admin
from core.accounts.sessions import (
    SESSION_LIFE,
    Session,
    check_session,
    end_session,
    note_seen,
    read_token,
    start_session,
    write_token,
)
from core.accounts.sign_in import authenticate
from core.accounts.users import User, count_users, list_users
from core.bootstrap import Services
from core.errors import AccountError
from core.ids import new_id
from ui import sign_in_card
from ui.identity_provider import provider_says_signed_in, provider_session, providers
from ui.runtime import get_services
from ui.unbroken import once, unbroken

COOKIE = "switchboard_session"

_SESSION = "auth_session"
_CHECKED = "auth_checked"
_OWNER = "auth_owner"  # whose things are in this tab's session state
_COOKIE_CHANGE = "auth_cookie_change"
_PROBLEM = "auth_problem"
_NOTICE = "auth_notice"

_ENDED = "Your session has ended. Sign in again."
_DISABLED = "This account is disabled. Ask an administrator to enable it."


@dataclass(frozen=True, slots=True, kw_only=True)
class _CookieChange:
    """A cookie that the browser has still to write, or to delete when there is no session."""

    key: str
    session: Session | None = None


def signed_in_user(services: Services) -> User | None:
    """The person using this tab; draws the sign-in card and returns None when there is nobody.

    Call it in every run, after st.navigation (a list of pages that comes later swallows clicks) and before page code.
    """
    user = _identified(services)
    _draw_cookie_change(services)
    if user is None or user.password_is_one_time:
        _draw_card(services, user)
        return None
    note_seen(services.database, user)
    return user


def current_user(services: Services) -> User | None:
    """The person using this tab as the store sees it now: at most one query, nothing drawn.

    A callback that changes or spends something asks here first: callbacks run before the gate does.
    """
    user = _identified(services)
    return None if user is None or user.password_is_one_time else user


def require_user() -> User:
    """The first line of every page: the signed-in person, or the end of this run.

    Asks the store again, so that it also holds in a fragment's run and for a page that is run without app.py.
    """
    user = current_user(get_services())
    if user is None:
        st.stop()
    return user


def require_admin() -> User:
    """The first line of an administrators' page."""
    user = require_user()
    if not user.is_admin:
        st.error("This page is for administrators.", icon=":material/lock:")
        st.stop()
    return user


def draw_sign_out(services: Services) -> None:
    """The button that ends the session of this tab and of its browser."""
    st.button(
        "Sign out", key="sign_out", icon=":material/logout:", type="tertiary", on_click=_sign_out, args=(services,)
    )


def change_own_password(services: Services, *, user: User, current: str, new: str) -> None:
    """Change the password from a callback: this tab stays signed in, every other session ends. Raises AccountError."""
    change = partial(change_password, services.database, user=user, current=current, new=new)
    _renew(once("change password", change))


def _identified(services: Services) -> User | None:
    before = st.session_state.get(_CHECKED)
    for session in _sessions(services):
        checked = check_session(services.database, session, before=before)
        if checked is not None:
            _keep_only_things_of(checked.user)
            st.session_state[_SESSION], st.session_state[_CHECKED] = session, checked
            return checked.user
    _keep_only_things_of(None)
    return None


def _sessions(services: Services) -> Iterator[Session]:
    # The cookie and the provider's word are those of the moment this tab connected, so what happened since comes first.
    if (session := st.session_state.get(_SESSION)) is not None:
        yield session
    if (token := st.context.cookies.get(COOKIE)) and (session := read_token(token, secret=services.sign_in.secret)):
        yield session
    if (provided := provider_session(services)) is not None:
        yield provided[1]


def _keep_only_things_of(user: User | None) -> None:
    owner = st.session_state.get(_OWNER)
    if owner is not None and (user is None or owner != user.id):
        st.session_state.clear()
        st.session_state[_NOTICE] = _ENDED
    if user is not None:
        st.session_state[_OWNER] = user.id
        st.session_state.pop(_NOTICE, None)


def _begin(user: User) -> None:
    st.session_state.clear()
    _renew(user)


def _renew(user: User) -> None:
    session = start_session(user)
    st.session_state[_SESSION] = session
    st.session_state[_OWNER] = user.id
    st.session_state[_COOKIE_CHANGE] = _CookieChange(key=new_id(), session=session)


@unbroken
def _sign_out(services: Services) -> None:
    for session in _sessions(services):
        end_session(services.database, session)
    provided = provider_says_signed_in()
    st.session_state.clear()
    st.query_params.clear()
    st.session_state[_COOKIE_CHANGE] = _CookieChange(key=new_id())
    if provided:
        st.logout()


def _draw_card(services: Services, user: User | None) -> None:
    problem = st.session_state.pop(_PROBLEM, None)
    ended = st.session_state.pop(_NOTICE, None)
    notice = _why_provider_is_not_enough(services) or ended
    with sign_in_card.card():
        # A place in every run: else the form moves up when the notice goes, and stands there twice for a moment.
        with st.empty():
            if notice and not problem:
                sign_in_card.draw_notice(notice)
        if user is not None:
            sign_in_card.draw_own_password_form(on_submit=partial(_submit_own_password, services), problem=problem)
            draw_sign_out(services)
        elif available := providers():
            sign_in_card.draw_provider_buttons(available)
            _draw_password_way(services, problem)
        elif count_users(services.database):
            sign_in_card.draw_password_form(on_submit=partial(_submit_sign_in, services), problem=problem)
        else:
            services.sign_in.setup_code.show()
            sign_in_card.draw_setup_form(on_submit=partial(_submit_setup, services), problem=problem)


def _draw_password_way(services: Services, problem: str | None) -> None:
    # People from before the provider was set up, the first administrator among them, keep their way in.
    if any(user.source == "password" for user in list_users(services.database)):
        with st.expander("Sign in with a password", type="compact", expanded=problem is not None):
            sign_in_card.draw_password_form(on_submit=partial(_submit_sign_in, services), problem=problem)


def _why_provider_is_not_enough(services: Services) -> str | None:
    provided = provider_session(services)
    if provided is None:
        return None
    return _ENDED if provided[0].disabled_at is None else _DISABLED


@unbroken
def _submit_sign_in(services: Services) -> None:
    with _problem_shown(sign_in_card.PASSWORD):
        user = authenticate(
            services.database,
            username=st.session_state[sign_in_card.USERNAME],
            password=st.session_state[sign_in_card.PASSWORD],
        )
        _begin(user)


@unbroken
def _submit_setup(services: Services) -> None:
    typed = st.session_state
    with _problem_shown(sign_in_card.CODE):
        # Said before the code is looked at: it ended with the first administrator.
        refuse_second_first_admin(services.database)
        _check_repeated()
        create = partial(
            create_first_admin,
            services.database,
            username=typed[sign_in_card.NEW_USERNAME],
            display_name=typed[sign_in_card.DISPLAY_NAME],
            password=typed[sign_in_card.NEW_PASSWORD],
        )
        _begin(services.sign_in.setup_code.redeem(typed[sign_in_card.CODE], create))


@unbroken
def _submit_own_password(services: Services) -> None:
    user = _identified(services)
    if user is None or not user.password_is_one_time:
        return
    with _problem_shown(sign_in_card.REPEATED):
        _check_repeated()
        _begin(choose_password(services.database, user=user, new=st.session_state[sign_in_card.NEW_PASSWORD]))


def _check_repeated() -> None:
    if st.session_state[sign_in_card.NEW_PASSWORD] != st.session_state[sign_in_card.REPEATED]:
        raise AccountError("The two passwords differ.", next_step="Type the same one twice.")


@contextmanager
def _problem_shown(field: str) -> Iterator[None]:
    try:
        yield
    except AccountError as error:
        st.session_state[_PROBLEM] = str(error)
        st.session_state[field] = ""


def _draw_cookie_change(services: Services) -> None:
    # Always there, so that what follows keeps its place whether or not a cookie is on its way.
    with st.container(key="auth_cookie", gap=None):
        if _COOKIE_CHANGE in st.session_state:
            _change_cookie(services.sign_in.secret)


@st.fragment
def _change_cookie(secret: str) -> None:
    """Keep the component on the page until it says that the cookie is written: dropped earlier, it never writes it.

    A fragment, because the component's two reports would otherwise each run the whole page again.
    """
    change = st.session_state.get(_COOKIE_CHANGE)
    if change is None or st.session_state.get(change.key):
        st.session_state.pop(_COOKIE_CHANGE, None)
        return
    # 0.4 s of imports, wanted at sign-in only.
    from streamlit_authenticator import Authenticate  # noqa: PLC0415

    library = Authenticate({"usernames": {}}, COOKIE, secret, SESSION_LIFE.days, auto_hash=False)
    cookies = library.cookie_controller.cookie_model.cookie_manager
    if change.session is None:
        with suppress(KeyError):  # it also forgets the cookie in a dictionary that does not have it yet
            cookies.delete(COOKIE, key=change.key)
    else:
        token = write_token(change.session, secret=secret)
        expires = change.session.expires_at.replace(tzinfo=UTC)
        encrypted = (st.context.url or "").startswith("https:")
        cookies.set(COOKIE, token, key=change.key, expires_at=expires, secure=encrypted or None)
