"""The frame around every page: the list of pages, the sidebar, who is signed in."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

from core.accounts.users import User
from core.bootstrap import Services
from core.errors import SwitchboardError
from ui.auth import draw_sign_out
from ui.budget_line import draw_budget_line
from ui.conversation_list import draw_new_chat_button, draw_search_button
from ui.errors import draw_error
from ui.keyboard import draw_keyboard
from ui.markdown import literal
from ui.phone_sidebar import draw_phone_sidebar

log = logging.getLogger(__name__)

Layout = Literal["centered", "wide"]

_ICON = Path(__file__).with_name("favicon.png")
# Wide enough for a model's name, prices and window on one line.
_SIDEBAR_PX = 320
_ABOUT = "**Switchboard**, the chat tool an internal team runs for itself: any model, every cost."
_FAILED = SwitchboardError(
    "Something went wrong on this page. Your conversations are safe.",
    next_step="Reload the page. If it happens again, tell your administrator: the log says why.",
)
# Pages of tables. The width of the last run comes first: a page that set its own would jump at every click.
_WIDE = frozenset({"admin", "blind", "compare", "costs", "models", "prompt-sets", "ratings"})
# The page that has the ways to a new chat and to the search in its own part of the sidebar; the first page's path is
# empty.
_CHAT = frozenset({"", "chat"})
# What the list of pages does not name is reached from Compare, and Compare is marked there as Streamlit marks a page.
_UNDER_COMPARE = frozenset({"blind", "prompt-sets", "ratings"})
_MARK_COMPARE = (
    "<style>[data-testid='stSidebarNavLink'][href$='/compare']"
    "{ background: color-mix(in srgb, currentColor 18%, transparent); span { font-weight: 600 } }</style>"
)
_LAYOUT = "page_layout"
_STYLE = Path(__file__).with_name("style.css")
# Streamlit writes white on the accent in both modes; on the dark mode's light accent that has a contrast of 2.9 only.
_DARK_STYLE = "<style>button[kind^='primary'] { color: #14171D; }</style>"


def pages(*, admin: bool) -> list[StreamlitPage]:
    """Every page there is; only administrators see Admin in the list. Who may open a page is checked by the page.

    The list is always the same and only what shows differs: a list that changes at sign-in swallows the first click.
    """
    return [
        _page("chat", "Chat", "chat", default=True),
        _page("compare", "Compare", "view_column"),
        _page("search", "Search", "search", listed=False),
        _page("shared", "Shared conversation", "link", listed=False),
        _page("blind", "Blind votes", "visibility_off", listed=False),
        _page("ratings", "Ratings", "leaderboard", listed=False),
        _page("prompt-sets", "Prompt sets", "checklist", listed=False),
        _page("costs", "Costs", "payments"),
        _page("models", "Models", "view_list"),
        _page("settings", "Settings", "settings"),
        _page("admin", "Admin", "shield_person", listed=admin),
    ]


def _page(path: str, title: str, icon: str, *, listed: bool = True, default: bool = False) -> StreamlitPage:
    # The file's name differs from the URL path on purpose: where they are the same, Streamlit's AppTest runs the file
    # alone from the second run on.
    return st.Page(
        f"pages/{path.replace('-', '_')}_page.py",
        title=title,
        icon=f":material/{icon}:",
        url_path=path,
        default=default,
        visibility="visible" if listed else "hidden",
    )


def configure_page() -> Layout:
    """Title, icon and width of every page, and the few rules that config.toml cannot express. Returns the width."""
    layout: Layout = st.session_state.get(_LAYOUT, "centered")
    # A file of our own: a Material icon would be fetched from its vendor's servers by every browser.
    # The menu with the choice of light and dark is only drawn when it holds an entry of ours.
    st.set_page_config(
        page_title="Switchboard",
        page_icon=_ICON,
        layout=layout,
        initial_sidebar_state=_SIDEBAR_PX,
        menu_items={"About": _ABOUT},
    )
    st.html(_STYLE)
    if st.context.theme.type == "dark":
        st.html(_DARK_STYLE)
    return layout


def draw_account(services: Services, user: User) -> DeltaGenerator:
    """Who is signed in, the way out, and what is left to spend. Pages add their own part of the sidebar below.

    Returns the place of what is left, to be drawn again when the page has run: an answer may have cost something.
    """
    with st.sidebar, st.container(horizontal=True, vertical_alignment="center", wrap=False):
        # A long name is cut off, so that the way out stays beside it.
        st.caption(f":material/person: {literal(user.display_name)}", width="stretch", wrap=False)
        draw_keyboard()
        draw_sign_out(services)
    with st.sidebar:
        left = st.empty()
        draw_budget_line(services, user, left)
        draw_phone_sidebar()
    return left


def run_page(page: StreamlitPage, *, configured: Layout) -> None:
    """Run a page; what fails in it is said in plain words, and the technical text goes to the log.

    `configured` is the width that the page has so far.
    """
    layout: Layout = "wide" if page.url_path in _WIDE else "centered"
    st.session_state[_LAYOUT] = layout
    if layout != configured:
        st.set_page_config(layout=layout)
    if page.url_path in _UNDER_COMPARE:
        st.html(_MARK_COMPARE)
    if page.url_path not in _CHAT:
        with st.sidebar, st.container(gap="xsmall"):
            draw_new_chat_button()
            if page.url_path != "search":
                draw_search_button()
    try:
        page.run()
    except SwitchboardError as error:
        draw_error(error)
    except Exception:
        # The last line of defence of the pages: a stranger must not see Streamlit's own words for it.
        log.exception("The page %s failed", page.url_path or "chat")
        draw_error(_FAILED)
