"""The head of the page of comparisons: the line-up of a new one; title, further models and use case of an open one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.arena.comparison import Comparison
from core.arena.line_ups import MOST
from core.bootstrap import Services
from core.catalog.recommend import use_cases
from core.chat.conversation import Message
from ui import compare, compare_acts, echoes
from ui.compare import OpenComparison
from ui.compare_estimate import estimate_words, quote_after
from ui.compare_line_up import draw_line_up
from ui.dialogs import ask_title
from ui.formats import short_price
from ui.markdown import literal
from ui.use_case import draw_use_cases, forget_choice, use_case_words

_FORM_PX, _FORM_WIDTH_PX = 150, 340
_USE_CASE_HELP = "What is asked here, and the answer you go on with, count for this use case in recommendations."


def draw_header(services: Services, user: User, opened: OpenComparison, history: Sequence[Message]) -> None:
    """The title of the open comparison, or the line-up of a new one; and the chat that it goes on from."""
    if opened.comparison is None:
        st.subheader("Compare models", anchor=False)
        draw_line_up(services, user)
        _draw_purpose(services, user, opened)
    else:
        forget_choice()
        title = opened.comparison.title
        with st.container(key="compare_head", horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(f"**{literal(title)}**", width="stretch", wrap=False)
            _draw_join(services, user, opened, history)
            _draw_use_case(services, opened.comparison)
            _draw_menu(services, opened.comparison)


def _draw_menu(services: Services, comparison: Comparison) -> None:
    choice = st.menu_button(
        "",
        ["Rename", "Delete"],
        key="comparison_menu",
        icon=":material/more_horiz:",
        type="tertiary",
        help="Rename or delete this comparison",
    )
    if choice == "Rename":
        ask_title(services, "comparison", comparison.title, partial(compare.rename, services, comparison))
    elif choice == "Delete":
        compare.delete(services, comparison.id, comparison.title)
        st.rerun()


def _draw_purpose(services: Services, user: User, opened: OpenComparison) -> None:
    """What a new comparison is for: what its chat is for, else what this person mostly does, else a guess."""
    names = use_cases(services.offered_models(user))
    if names:
        usual = read_preferences(load_preferences(services.database, user.id)).use_case
        preferred = (opened.chat.use_case if opened.chat else None) or usual
        draw_use_cases(names, preferred=preferred, label="What it is for", about=_USE_CASE_HELP)


def _draw_join(services: Services, user: User, opened: OpenComparison, history: Sequence[Message]) -> None:
    """A further model for the open comparison: which one, what it will cost, and the button that asks it."""
    if opened.comparison is None or opened.prompt is None or len(opened.comparison.answers) >= MOST:
        return
    place = st.popover(
        "Add",
        # One for each number of columns: closed when there is a further one, whatever the browser still says of it. Set
        # in a callback, that would be lost whenever another rerun of the page comes in between.
        key=f"compare_join_{len(opened.comparison.answers)}",
        type="tertiary",
        icon=":material/add:",
        help="One more model, on this prompt",
        on_change="rerun",
    )
    # Drawn also while it is closed, and empty: a popover looks for room when it opens, before the form has come.
    form = place.container(height=_FORM_PX, width=_FORM_WIDTH_PX, border=False)
    if place.open:
        with form.container():
            _draw_join_form(services, user, opened, opened.comparison, [*history, opened.prompt])


def _draw_join_form(
    services: Services, user: User, opened: OpenComparison, comparison: Comparison, read: Sequence[Message]
) -> None:
    models = services.offered_models(user)
    hidden = read_preferences(load_preferences(services.database, user.id)).hidden_models
    chosen = st.selectbox(
        "It answers the first question, beside the others",
        [name for name in models if name not in hidden],
        key=compare_acts.JOINS,
        index=None,
        placeholder="Choose a model",
        format_func=lambda name: f"{models[name].label} · {short_price(models[name].prices)}",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Ask it",
            key="join_start",
            type="primary",
            disabled=chosen is None,
            on_click=compare_acts.join,
            args=(services, comparison.id, len(comparison.answers)),
        )
        if chosen is not None:
            quoted = quote_after(services, models[chosen], read, opened)
            st.caption(literal(estimate_words([quoted])), width="content")


def _draw_use_case(services: Services, comparison: Comparison) -> None:
    """What the open comparison is for, to be corrected."""
    named, known = comparison.use_case or "", use_cases(services.registry.current().models)
    if not known:
        return
    names, key = list(dict.fromkeys(["", *known, named])), f"use_case_of_{comparison.id}"
    place = st.popover(use_case_words(named), type="tertiary", icon=":material/category:", help=_USE_CASE_HELP)
    echoes.show(key, named)
    place.radio(
        "This comparison is for",
        names,
        key=key,
        format_func=use_case_words,
        on_change=compare.take_use_case,
        args=(services, comparison.id, key),
    )
