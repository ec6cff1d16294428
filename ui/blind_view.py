"""What the page of blind votes draws. Before the vote nothing on it, in its markup or in its address names a model."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.users import User
from core.arena.blind import answer_in, vote_of
from core.arena.blind_use_cases import blind_use_cases, set_blind_use_cases
from core.arena.votes import Outcome, Vote
from core.bootstrap import Services
from core.catalog.recommend import use_cases
from core.chat.conversation import Message
from ui import blind, chat, compare, echoes, state
from ui.accounts_view import act, draw_problem
from ui.answer import AnswerFrame, reserve_frame
from ui.blind import OpenRound
from ui.blocks import draw_blocks
from ui.compare_columns import draw_prompt
from ui.compare_stream import Running
from ui.markdown import literal
from ui.transcript import footer
from ui.unbroken import unbroken

_SWITCH = "blind_switch"
_SIDES = ("A", "B")
_VOTES: tuple[tuple[Outcome, str, str], ...] = (
    ("left", "A is better", ":material/west:"),
    ("tie", "Equally good", ":material/drag_handle:"),
    ("both_bad", "Both bad", ":material/thumb_down:"),
    ("right", "B is better", ":material/east:"),
)

_SAID: dict[str, str] = {
    "left": "You preferred A.",
    "right": "You preferred B.",
    "tie": "You found both equally good.",
    "both_bad": "You found both bad.",
}


def draw_switch(services: Services) -> None:
    """For administrators: the use cases in which the team votes."""
    known = use_cases(services.registry.current().models)
    on = blind_use_cases(services.database)
    with st.expander("Use cases with blind votes", type="compact", key="blind_switches"):
        st.pills(
            "Use cases",
            sorted({*known, *on}),
            selection_mode="multi",
            default=list(on),
            key=_SWITCH,
            format_func=_words,
            label_visibility="collapsed",
            help="Only administrators see this. Everybody may vote in the use cases chosen here.",
            on_change=act,
            args=(services, "blind", partial(_save_switch, services)),
            kwargs={"admin": True},
        )
        echoes.note(_SWITCH)
        draw_problem("blind")


def _save_switch(services: Services, user: User) -> str:
    if not echoes.is_changed(_SWITCH):
        return ""
    set_blind_use_cases(services.database, st.session_state[_SWITCH], actor_id=user.id)
    return "Use cases with blind votes are saved."


def draw_composer(services: Services, opened: OpenRound) -> None:
    """The box for the prompt, and the use case that it is for."""
    waiting = opened.waiting
    with st.bottom:
        if notice := state.take_notice():
            st.warning(literal(notice), icon=":material/error:")
        if opened.use_cases and not waiting:
            _draw_use_case(opened)
        st.chat_input(
            waiting or "Ask two hidden models",
            key=state.COMPOSER,
            disabled=waiting is not None or not opened.use_cases,
            on_submit=_submit,
            args=(services,),
        )


def _draw_use_case(opened: OpenRound) -> None:
    if st.session_state.get(blind.USE_CASE) not in opened.use_cases:
        preferred = state.use_case()
        st.session_state[blind.USE_CASE] = preferred if preferred in opened.use_cases else opened.use_cases[0]
    st.pills("For", list(opened.use_cases), key=blind.USE_CASE, format_func=_words, required=True)


@unbroken
def _submit(services: Services) -> None:
    typed: Any = st.session_state[state.COMPOSER]
    blind.send(services, typed if isinstance(typed, str) else getattr(typed, "text", ""))


def draw_intro(opened: OpenRound) -> None:
    """What this is, or that it is off."""
    if not opened.use_cases and opened.round is None:
        st.info(
            "Blind votes are off. An administrator switches them on here, for the use cases in which the team wants to "
            "know which model is best.",
            icon=":material/visibility_off:",
        )
    elif opened.round is None:
        st.caption(
            "Your prompt goes to two models that you do not see. Say which answer is better, and you are told who they "
            "were. The ratings come from the team's votes. Prompt and answers stay yours; only who won is counted."
        )


def draw_question(opened: OpenRound) -> None:
    """The prompt that both models answer."""
    if opened.prompt is not None:
        draw_prompt(opened.prompt)


def draw_stop(place: DeltaGenerator, services: Services, opened: OpenRound) -> None:
    """The button that ends both answers, while one of them is being written."""
    if opened.live:
        place.button(
            "Stop", key="stop_blind", icon=":material/stop_circle:", on_click=blind.stop, args=(services, opened)
        )


def draw_answers(services: Services, opened: OpenRound) -> list[Running]:
    """Both answers side by side; those that still run, to be drawn."""
    if opened.round is None:
        return []
    running = []
    for side, place in enumerate(st.columns(2, border=True)):
        with place:
            running += _draw_side(services, opened, side)
    return running


def _draw_side(services: Services, opened: OpenRound, side: int) -> list[Running]:
    if opened.round is None:
        return []
    column, answer = opened.round.sides[side], opened.answers[side]
    live = opened.live.get(column.id)
    name = f"Answer {_SIDES[side]}"
    st.markdown(f"**{literal(column.model_label)}** ({name})" if opened.round.revealed else f"**{name}**")
    frame = reserve_frame()
    if live is not None:
        return [Running(live, frame, partial(_end, services, opened, side, frame))]
    _draw_ended(services, frame, answer, revealed=opened.round.revealed)
    return []


def _end(services: Services, opened: OpenRound, side: int, frame: AnswerFrame) -> None:
    """An answer has ended while the page was drawing it: no figure and no word of its model's appears."""
    if opened.round is None:
        return
    said = compare.load_said(services, opened.round.comparison, opened.round.sides[side])
    _draw_foot(services, frame, answer_in(said), revealed=False)


def _draw_ended(services: Services, frame: AnswerFrame, answer: Message | None, *, revealed: bool) -> None:
    if answer is not None and answer.content:
        draw_blocks(frame.body, answer.content)
    _draw_foot(services, frame, answer, revealed=revealed)


def _draw_foot(services: Services, frame: AnswerFrame, answer: Message | None, *, revealed: bool) -> None:
    if answer is not None and revealed:
        frame.footer.caption(footer(answer, partial(chat.label_of, services), named=False) or "done")
    elif answer is None or answer.status != "complete":
        # In its own words, the error would name the model.
        frame.footer.caption(":material/error: This answer failed or was stopped, so a vote would not count.")
    elif not answer.content:
        frame.footer.caption("The model sent an empty answer.")
    else:
        frame.footer.empty()


def draw_vote_bar(place: DeltaGenerator, services: Services, opened: OpenRound) -> None:
    """The vote, or what came of it."""
    if opened.round is None or opened.live:
        return
    with place.container():
        if opened.round.revealed:
            _draw_result(services, opened)
        elif opened.votable:
            _draw_choices(services, opened.round.comparison.id)
        else:
            st.button(
                "Show who they were",
                key="give_up",
                help="One of the answers failed, so there is nothing to vote on.",
                on_click=blind.give_up,
                args=(services, opened.round.comparison.id),
            )


def _draw_choices(services: Services, round_id: str) -> None:
    with st.container(horizontal=True, horizontal_alignment="center", key="vote_bar"):
        for outcome, words, icon in _VOTES:
            st.button(words, key=f"vote_{outcome}", icon=icon, on_click=blind.vote, args=(services, round_id, outcome))
    st.text_input(
        "Why? (optional)",
        key=blind.REASON,
        max_chars=1000,
        placeholder="Why? Optional, type before you vote",
        label_visibility="collapsed",
    )
    st.button("Skip this one", key="skip", type="tertiary", on_click=blind.give_up, args=(services, round_id))


def _draw_result(services: Services, opened: OpenRound) -> None:
    if opened.round is None:
        return
    cast = vote_of(services.database, opened.round, find_model=services.registry.current().get)
    st.markdown(_result_words(cast))
    st.button("Ask something new", key="next_round", type="primary", icon=":material/add:", on_click=blind.start_over)


def _result_words(cast: Vote | None) -> str:
    if cast is None:
        return "There was no vote on these answers."
    if cast.void is not None:
        return f"{_SAID[cast.outcome]} The vote does not count: {literal(cast.void)}."
    return f"{_SAID[cast.outcome]} Thank you: the ratings count it."


def _words(use_case: str) -> str:
    return literal(use_case.replace("_", " "))
