"""The parts of the page of comparisons around the columns: sidebar, header, history, composer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.users import User
from core.arena.comparison import Comparison, comparisons_with, list_comparisons
from core.arena.said import load_history
from core.bootstrap import Services
from core.chat.attachments import MOST_MEGABYTES
from core.chat.conversation import Message
from core.errors import SwitchboardError
from ui import compare, compare_state, file_state, state
from ui.attachments import FILE_TYPES, draw_attached, draw_waiting, receive
from ui.auth import current_user
from ui.chat import SUGGESTIONS
from ui.clicks import do_earlier, do_unless_earlier
from ui.compare import ALL, OpenComparison
from ui.compare_diff import column_names
from ui.compare_estimate import draw_estimate
from ui.conversation_list import CHAT_PAGE
from ui.drafts import keep_draft_of
from ui.markdown import as_typed, literal, renderable
from ui.unbroken import once, unbroken

_NEW = "new_comparison"
_HISTORY_SHOWN = 20
_TITLE_ON_SHOW = 34
_PERSON, _MODEL = ":material/person:", ":material/neurology:"


def draw_sidebar(services: Services, user: User) -> None:
    """A new comparison, and those there are."""
    with st.sidebar:
        st.button(
            "New comparison",
            key=_NEW,
            icon=":material/add:",
            width="stretch",
            on_click=_open_new,
        )
        _draw_undo(services)
        limit = compare_state.listed()
        found = list_comparisons(services.database, user_id=user.id, limit=limit + 1)
        if not found:
            st.caption("Your comparisons will be listed here.")
        opened, running = compare_state.comparison_id(), comparisons_with(services.database, services.engine.running())
        with st.container(key="comparisons", gap=None):
            for comparison in found[:limit]:
                is_open = comparison.id == opened
                # The open one says so itself, and its mark would outlast the answers until the next run.
                _draw_row(comparison, opened=is_open, running=comparison.id in running and not is_open)
        if len(found) > limit:
            st.button("Show older", key="older_comparisons", type="tertiary", on_click=compare_state.list_more)


def _draw_row(comparison: Comparison, *, opened: bool, running: bool) -> None:
    st.button(
        literal(comparison.title),
        key=f"compare_{comparison.id}",
        icon=":material/pending:" if running else None,
        help="Answers are being written" if running else None,
        type="secondary" if opened else "tertiary",
        width="stretch",
        wrap=False,
        on_click=compare_state.open_comparison,
        args=(comparison.id,),
    )


def _draw_undo(services: Services) -> None:
    if offered := compare_state.undo():
        comparison_id, title = offered
        short = title if len(title) <= _TITLE_ON_SHOW else f"{title[:_TITLE_ON_SHOW]}…"
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.caption(f"Deleted {literal(short)}", width="stretch")
            st.button(
                "Undo",
                key="undo_comparison",
                type="tertiary",
                on_click=compare.undo_delete,
                args=(services, comparison_id),
            )


def draw_origin(opened: OpenComparison, history: Sequence[Message]) -> None:
    """What the models read before the prompt, folded away."""
    if opened.origin is None:
        return
    if opened.chat is None:
        st.caption(":material/forum: The chat that this went on from was deleted.")
        return
    count = "no message yet" if not history else "1 message" if len(history) == 1 else f"{len(history)} messages"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/forum: Goes on from **{literal(opened.chat.title)}** ({count})", width="content")
        if opened.comparison is None:
            st.button("Without it", key="drop_origin", type="tertiary", on_click=compare_state.forget_origin)
    if not history:
        return
    place = st.expander("What they read first", type="compact", key="compare_history", on_change="rerun")
    if place.open:
        with place:
            for message in history[-_HISTORY_SHOWN:]:
                _draw_read(message)


def _draw_read(message: Message) -> None:
    person = message.role == "user"
    with st.chat_message(message.role, avatar=_PERSON if person else _MODEL):
        draw_attached(message)
        st.markdown(as_typed(message.content) if person else renderable(message.content))


def history_of(services: Services, user: User, opened: OpenComparison) -> Sequence[Message]:
    """What the models read before the prompt; nothing when it is no longer there."""
    try:
        return load_history(services.database, opened.origin, user_id=user.id)
    except SwitchboardError:
        return ()


def draw_bottom(services: Services, user: User, opened: OpenComparison, history: Sequence[Message]) -> DeltaGenerator:
    """The composer, and above it what it sends to, what that costs, and the way to stop all. Returns that one's place.

    In st.bottom altogether: outside it the page would follow the longest answer to its end, away from the others.
    """
    file_state.stand_at(opened.comparison.id if opened.comparison else file_state.NEW_COMPARISON)
    with st.bottom:
        notice_place = st.empty()
        if notice := state.take_notice():
            notice_place.warning(literal(notice), icon=":material/error:")
        with st.container(horizontal=True, vertical_alignment="center", key="compare_bar", gap="small"):
            if opened.comparison is not None:
                _draw_target(opened)
            draw_estimate(services, user, opened, history)
            stop_slot = st.empty()
        if opened.live:
            _draw_stop_all(services, opened, stop_slot)
        draw_waiting(services, send=partial(compare.send, services, ""), for_chosen=False)
        st.chat_input(
            "Ask all of them" if opened.comparison is None else "Ask them more",
            key=state.COMPOSER,
            accept_file="multiple",
            file_type=FILE_TYPES,
            max_upload_size=MOST_MEGABYTES,
            on_submit=_submit,
            args=(services,),
        )
    return stop_slot


def _draw_stop_all(services: Services, opened: OpenComparison, slot: DeltaGenerator) -> None:
    slot.button(
        "Stop all",
        key="stop_all",
        icon=":material/stop_circle:",
        on_click=compare.stop,
        args=(services, list(opened.live.values())),
    )


def draw_empty(services: Services) -> None:
    """What the page of a new comparison says, and ways to begin."""
    st.space("medium")
    st.caption(
        "One prompt to two to eight models at once, each with its own system prompt and parameters. "
        "Ask something, or begin with one of these."
    )
    with st.container(horizontal=True, key="compare_suggestions", gap="xsmall"):
        for number, suggestion in enumerate(SUGGESTIONS):
            st.button(suggestion, key=f"compare_suggestion_{number}", on_click=_send_first, args=(services, suggestion))


@unbroken
def _send_first(services: Services, text: str) -> None:
    # Only what stands on an empty page is a suggestion for it.
    if compare_state.comparison_id() is None:
        compare.send(services, text)


@unbroken
def _open_new() -> None:
    do_unless_earlier(_NEW, partial(compare_state.open_comparison, None))


def _begin_anew() -> None:
    compare_state.open_comparison(None)
    file_state.stand_at(file_state.NEW_COMPARISON)


def _draw_target(opened: OpenComparison) -> None:
    columns = list(opened.comparison.answers) if opened.comparison else []
    names = {ALL: "All columns", **{name: f"Only {label}" for name, label in column_names(columns).items()}}
    if st.session_state.get(compare_state.TO) not in names:
        st.session_state[compare_state.TO] = ALL
    st.selectbox(
        "Ask", list(names), key=compare_state.TO, format_func=names.__getitem__, label_visibility="collapsed", width=220
    )


@unbroken
def _submit(services: Services) -> None:
    if compare_state.comparison_id() is not None:
        do_earlier(_NEW, _begin_anew)
    typed = st.session_state[state.COMPOSER]
    text, files = (typed.text, typed.files) if typed else ("", ())
    if files and current_user(services) and (problems := once("files", partial(receive, services, files))):
        # Nothing is sent without a file that was meant to go with it.
        state.keep_draft(text)
        state.leave_notice(" ".join(problems))
    else:
        compare.send(services, text)


def keep_draft(user: User, opened: OpenComparison) -> None:
    """Keep what is typed for this comparison, or for a new one, as the chat does."""
    new = f"{user.id} compare new"
    comparison = opened.comparison
    begun = comparison is not None and comparison.id == compare_state.begun()
    keep_draft_of(
        f"{user.id} compare {comparison.id}" if comparison else new,
        begun_from=new if begun else None,
        text=None if comparison else compare_state.take_prefill(),
    )


def leave_for_chat() -> None:
    """Switch to the chat, if somebody continues there."""
    if chat_id := compare_state.take_chat():
        state.open_conversation(chat_id)
        st.switch_page(CHAT_PAGE, query_params={"c": chat_id})
