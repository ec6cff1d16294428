"""The columns of a comparison: one for each model, of equal width, each with its status, figures and actions."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.arena.comparison import Column
from core.bootstrap import Services
from core.catalog.parameters import SYSTEM_PROMPT, parameter_label
from core.chat.conversation import Message
from core.chat.turns import LiveTurn
from ui import chat, compare, compare_acts, compare_state
from ui.answer import AnswerFrame, reserve_frame
from ui.attachments import draw_attached
from ui.blocks import draw_blocks
from ui.compare import OpenComparison
from ui.compare_offers import draw_offers
from ui.compare_stream import Running
from ui.errors import draw_message_error
from ui.found_message import bring_column, found_place
from ui.markdown import as_typed, literal
from ui.receipt import draw_tries
from ui.steps import draw_steps, draw_thoughts
from ui.transcript import footer

_PERSON = ":material/person:"
_STATUS = {
    "complete": ":green-badge[done]",
    "stopped": ":gray-badge[stopped]",
    "broken": ":orange-badge[broke off]",
    "failed": ":red-badge[failed]",
    "interrupted": ":orange-badge[interrupted]",
}
_RUNNING = ":blue-badge[answering]"
_PROMPT_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Head:
    """The places of a column's status and of the button beside it."""

    status: DeltaGenerator
    button: DeltaGenerator


@dataclass(frozen=True, slots=True)
class _Ending:
    """The places that change when an answer ends."""

    frame: AnswerFrame
    head: _Head


def draw_columns(services: Services, opened: OpenComparison) -> list[Running]:
    """All columns side by side; the answers that are still running, to be drawn."""
    if opened.comparison is None:
        return []
    running = []
    with st.container(horizontal=True, wrap=False, key="compare_columns", gap="small"):
        for column in opened.comparison.answers:
            with st.container(key=f"column_{column.id}", border=True, gap="small"):
                running += _draw_column(services, opened, column)
    return running


def bring_joined(opened: OpenComparison) -> None:
    """Bring the column that was just added into view: it is the last one, and may stand beyond the edge."""
    columns, joined = opened.comparison.answers if opened.comparison else (), compare_state.joined()
    if any(column.id == joined for column in columns):
        bring_column(str(joined))


def draw_merges(services: Services, opened: OpenComparison) -> list[Running]:
    """The answers that were made of the others', one below the other."""
    if opened.comparison is None:
        return []
    running = []
    for column in opened.comparison.merges:
        with st.container(key=f"column_{column.id}", border=True, gap="small"):
            running += _draw_column(services, opened, column)
    return running


def _draw_column(services: Services, opened: OpenComparison, column: Column) -> list[Running]:
    live, said = opened.live.get(column.id), list(opened.said.get(column.id, ()))
    goes_on = said.pop() if live and said and live.request.continues == said[-1].id else None
    head = _draw_head(column)
    if words := _about(opened, column):
        st.caption(literal(words))
    for number, message in enumerate(said):
        # The first question is the same for all: it stands above the columns.
        with nullcontext() if number == 0 else found_place(message, compare_state.pointed_out()):
            if message.role == "user":
                _draw_question(message, first=number == 0, merge=column.kind == "merge")
            else:
                last = live is None and message is said[-1]
                _draw_ended(services, reserve_frame(), opened, column, message, last=last)
    problem = st.empty()
    if column.problem and live is None:
        problem.warning(literal(column.problem), icon=":material/error:")
    _draw_state(services, head, column, said[-1] if said else None, live)
    if live is None:
        return []
    frame = reserve_frame()
    draw_steps(frame.body, goes_on.steps if goes_on else ())
    before = goes_on.content if goes_on else ""
    return [Running(live, frame, partial(_end, services, opened, column, live, _Ending(frame, head)), before=before)]


def _draw_head(column: Column) -> _Head:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        name = literal(column.model_label)
        merged = column.kind == "merge"
        st.markdown(f"**Merged by {name}**" if merged else f"**{name}**", width="stretch", wrap=False)
        return _Head(st.empty(), st.empty())


def _about(opened: OpenComparison, column: Column) -> str:
    """What is set for a column, or what a merge was made from."""
    if column.kind == "merge":
        others = opened.comparison.answers if opened.comparison else ()
        said = {message.id: other.model_label for other in others for message in opened.said.get(other.id, ())}
        return f"From {', '.join(said[source] for source in column.sources if source in said) or 'earlier answers'}"
    words = []
    for name, value in column.parameters.items():
        if name == SYSTEM_PROMPT:
            prompt = str(value)
            words.append(f"system prompt: {_shortened(prompt)}" if prompt else "no system prompt")
        else:
            shown = ", ".join(value) if isinstance(value, tuple) else value
            words.append(f"{parameter_label(name).lower()} {shown}")
    return " · ".join(words)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PROMPT_SHOWN else f"{line[: _PROMPT_SHOWN - 1]}…"


def _draw_question(message: Message, *, first: bool, merge: bool) -> None:
    if merge:
        with st.expander("What was sent", type="compact"):
            st.code(message.content, language=None, wrap_lines=True)
        return
    if first:
        return
    with st.chat_message("user", avatar=_PERSON):
        draw_attached(message)
        st.markdown(as_typed(message.content))


def prompt_frame(opened: OpenComparison) -> AbstractContextManager[Any]:
    """Where to draw the question of all columns: in a frame, if the search led to it in any of them."""
    found = compare_state.pointed_out()
    first = [messages[0] for messages in opened.said.values() if messages]
    same = next((message for message in first if found and message.id == found[0]), None)
    return nullcontext() if same is None else found_place(same, found)


def draw_prompt(message: Message) -> None:
    """The question that all columns answer; a long one is scrolled, so that the answers stay in sight."""
    with st.container(key="asked_of_all"), st.chat_message("user", avatar=_PERSON):
        draw_attached(message)
        if message.content:
            st.markdown(as_typed(message.content))


def _draw_ended(
    services: Services, frame: AnswerFrame, opened: OpenComparison, column: Column, message: Message, *, last: bool
) -> None:
    draw_thoughts(frame.reasoning, message)
    draw_steps(frame.body, message.steps)
    if message.content:
        draw_blocks(frame.body, message.content)
    elif message.status == "complete":
        frame.body.caption("The model sent an empty answer.")
    _draw_foot(services, frame, opened, column, message, last=last)


def _draw_foot(
    services: Services, frame: AnswerFrame, opened: OpenComparison, column: Column, message: Message, *, last: bool
) -> None:
    label = partial(chat.label_of, services)
    if words := footer(message, label, named=False):
        frame.footer.caption(words)
    else:
        frame.footer.empty()
    if message.error_message or (message.receipt and len(message.receipt.tries) > 1):
        with frame.problem.container():
            draw_message_error(message)
            if message.receipt:
                draw_tries(message.receipt, label)
    if last and message.content:
        with frame.actions.container():
            draw_offers(services, opened, column, message)


def _draw_state(services: Services, head: _Head, column: Column, last: Message | None, live: LiveTurn | None) -> None:
    """The status and the button beside it: Stop while it runs, Retry afterwards, in one place."""
    if live is not None:
        head.status.markdown(_RUNNING, width="content")
        head.button.button(
            "Stop",
            key=f"stop_{column.id}",
            icon=":material/stop_circle:",
            type="tertiary",
            on_click=compare.stop,
            args=(services, [live]),
        )
        return
    refused = column.problem is not None or last is None or last.role == "user"
    head.status.markdown(
        ":orange-badge[not asked]" if refused or last is None else _STATUS[last.status], width="content"
    )
    head.button.button(
        "Retry",
        key=f"retry_{column.id}",
        icon=":material/refresh:",
        type="tertiary",
        help="Sends the message that this model did not take" if refused else "Answers the last question once more",
        on_click=compare_acts.retry,
        args=(services, column.comparison_id, column.id),
    )


def _end(services: Services, opened: OpenComparison, column: Column, live: LiveTurn, places: _Ending) -> None:
    """An answer has ended while the page was drawing it: its figures and what can be done with it."""
    if opened.comparison is None:
        return
    compare_state.note_ended(column.id, live.ids.answer)
    said, frame = compare.load_said(services, opened.comparison, column), places.frame
    opened = replace(opened, versions=compare.load_versions(services, column, said))
    if not said or said[-1].role == "user":
        frame.footer.empty()
        return
    message = said[-1]
    draw_thoughts(frame.reasoning, message)
    _draw_foot(services, frame, opened, column, message, last=True)
    _draw_state(services, places.head, column, message, None)
