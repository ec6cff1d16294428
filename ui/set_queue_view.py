"""The blind queue of a run on the page: two answers side by side, nothing that names their models, and the vote."""

from __future__ import annotations

import streamlit as st

from core.accounts.users import User
from core.arena.set_queue import Blind, next_pair, vote_on_pair
from core.arena.set_runs import SetRun
from core.arena.votes import Outcome
from core.bootstrap import Services
from ui.accounts_view import act
from ui.blocks import draw_blocks
from ui.clicks import once_here
from ui.markdown import literal
from ui.prompt_sets import PLACE
from ui.unbroken import unbroken

_REASON = "set_vote_reason"
_VOTES: tuple[tuple[Outcome, str, str], ...] = (
    ("left", "A is better", ":material/west:"),
    ("tie", "Equally good", ":material/drag_handle:"),
    ("both_bad", "Both bad", ":material/thumb_down:"),
    ("right", "B is better", ":material/east:"),
)


def draw_queue(services: Services, user: User, run: SetRun) -> None:
    """The next pair for this person, or that there is none."""
    blind = next_pair(services.database, run, user_id=user.id)
    if blind is None:
        st.info("There are no two answers left for you to judge.", icon=":material/done_all:")
        return
    st.progress(blind.voted / blind.of, text=f"You have judged {blind.voted:,} of {blind.of:,} pairs")
    _draw_pair(blind)
    with st.container(horizontal=True, horizontal_alignment="center", key="vote_bar"):
        for outcome, words, icon in _VOTES:
            st.button(
                words,
                # Of this pair: the second click of a double click must not vote on the next one, which nobody has read.
                key=f"set_vote_{outcome}_{blind.key}",
                icon=icon,
                on_click=_vote,
                args=(services, run, blind.key, outcome),
            )
    st.text_input(
        "Why? (optional)",
        # Of this pair, too: a browser would say again of the next one what was typed for this.
        key=_reason_key(blind.key),
        max_chars=1000,
        placeholder="Why? Optional, type before you vote",
        label_visibility="collapsed",
    )


def _reason_key(pair: str) -> str:
    return f"{_REASON}_{pair}"


def _draw_pair(blind: Blind) -> None:
    for at, question in enumerate(blind.prompt.turns):
        st.markdown(f"**{literal(question)}**")
        for place, name, texts in zip(st.columns(2, border=True), "AB", blind.answers, strict=True):
            place.markdown(f"**Answer {name}**")
            draw_blocks(place, texts[at] if at < len(texts) else "")


@unbroken
def _vote(services: Services, run: SetRun, key: str, outcome: Outcome) -> None:
    def work(user: User) -> str:
        find, reason = services.registry.current().get, st.session_state.get(_reason_key(key))
        cast = vote_on_pair(services.database, run, key, outcome, user_id=user.id, find_model=find, reason=reason)
        return f"The vote does not count: {cast.void}." if cast.void else "Thank you: the ratings count it."

    act(services, PLACE, lambda user: once_here("set_vote", key, lambda: work(user)) or "")
