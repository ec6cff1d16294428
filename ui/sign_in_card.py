"""The card that stands alone in the middle of the page while nobody is signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import streamlit as st

from ui.markdown import literal

USERNAME = "sign_in_username"
PASSWORD = "sign_in_password"  # noqa: S105 - the key of a field
CODE = "setup_code"
DISPLAY_NAME = "setup_display_name"
NEW_USERNAME = "setup_username"
NEW_PASSWORD = "setup_password"  # noqa: S105 - the key of a field
REPEATED = "setup_repeated"

_WIDTH = 400  # px: a comfortable line of a form; narrower screens shrink it
_PITCH = "Any AI model for your team, every cost in sight."


# A session that ended on the way to another page leaves an empty sidebar behind.
# Nor what a toast still says about the page before.
_NO_SIDEBAR = '<style>[data-testid="stSidebar"], [data-testid="stToastContainer"] { display: none; }</style>'


@contextmanager
def card() -> Iterator[None]:
    """Draw inside the card: name, one sentence, then what follows."""
    with (
        st.container(key="sign_in_page", horizontal_alignment="center"),
        st.container(key="sign_in_card", border=True, width=_WIDTH),
    ):
        st.html(_NO_SIDEBAR)
        st.header("Switchboard", anchor=False)
        st.caption(_PITCH)
        yield


def draw_notice(text: str) -> None:
    """A quiet sentence, such as why the person has to sign in again."""
    st.info(literal(text), icon=":material/info:")


def draw_password_form(*, on_submit: Callable[[], None], problem: str | None) -> None:
    """Username and password."""
    with st.form("sign_in", border=False):
        st.text_input("Username", key=USERNAME, autocomplete="username")
        st.text_input("Password", key=PASSWORD, type="password", autocomplete="current-password")
        _draw_problem(problem)
        st.form_submit_button("Sign in", type="primary", width="stretch", on_click=on_submit)


def draw_setup_form(*, on_submit: Callable[[], None], problem: str | None) -> None:
    """The first administrator, with the one-time code from the terminal."""
    st.markdown("**Create the administrator.** The terminal that runs Switchboard shows a one-time code.")
    with st.form("setup", border=False):
        st.text_input("One-time code", key=CODE, autocomplete="one-time-code", placeholder="Such as 7KQF-92MD")
        st.text_input("Your name", key=DISPLAY_NAME, autocomplete="name")
        st.text_input("Username", key=NEW_USERNAME, autocomplete="username")
        _draw_new_password()
        _draw_problem(problem)
        st.form_submit_button("Create and sign in", type="primary", width="stretch", on_click=on_submit)


def draw_own_password_form(*, on_submit: Callable[[], None], problem: str | None) -> None:
    """Choosing a password in place of the one-time password."""
    st.markdown("**Choose your own password.** The one-time password ends with it.")
    with st.form("own_password", border=False):
        _draw_new_password()
        _draw_problem(problem)
        st.form_submit_button("Save and go on", type="primary", width="stretch", on_click=on_submit)


def draw_provider_buttons(providers: Mapping[str, str]) -> None:
    """One button per identity provider: its name in the configuration, and the label."""
    for provider, label in providers.items():
        st.button(
            label,
            key=f"sign_in_with_{provider}",
            type="primary",
            width="stretch",
            icon=":material/login:",
            on_click=st.login,
            args=(provider,) if provider else (),
        )


def _draw_new_password() -> None:
    hint = "At least 8 characters"
    st.text_input("Password", key=NEW_PASSWORD, type="password", autocomplete="new-password", placeholder=hint)
    st.text_input("Password again", key=REPEATED, type="password", autocomplete="new-password")


def _draw_problem(problem: str | None) -> None:
    if problem:
        st.error(literal(problem), icon=":material/error:")
