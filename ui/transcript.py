"""The messages of a conversation on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.chat.continuation import unfinished
from core.chat.conversation import Message
from core.chat.turns import LiveTurn
from core.clock import utc_now
from ui import formats, state
from ui.answer import AnswerFrame, draw_running, reserve_frame
from ui.attachments import draw_attached
from ui.blocks import draw_blocks
from ui.errors import draw_message_error
from ui.found_message import draw_pointer, found_place
from ui.instead import Instead
from ui.markdown import as_typed, literal, renderable
from ui.receipt import Label, answered_words, draw_tries
from ui.shown_messages import show_at_least, to_show
from ui.steps import draw_steps, draw_thoughts, thoughts_of

_PERSON = ":material/person:"
_MODEL = ":material/neurology:"
_EARLIER = 50

_INSTEAD_HELP = "Answers the last message once more, with this model. The chosen model stays chosen."
_FAILED = frozenset({"failed", "broken"})
_ENDINGS = {"stopped": "stopped", "broken": "broke off", "interrupted": "interrupted"}


# Draws what a person can do with a message, below it.
Actions = Callable[[Message], None]


def draw_history(
    messages: Sequence[Message], *, label: Label, actions: Actions, edit: Callable[[Message], bool]
) -> None:
    """The last messages of a branch, earlier ones on demand; `label` names a model by its id.

    `edit` draws the editor in a question's place, if that is being edited, and says so.
    """
    shown = to_show(messages)
    if len(shown) < len(messages):
        _draw_earlier_button(len(messages) - len(shown), shown=len(shown))
    found = state.pointed_out()
    for message in shown:
        with found_place(message, found):
            if message.role == "user":
                draw_question(message, actions=actions, edit=edit)
            else:
                _draw_answer(message, label, actions)
    draw_pointer(found)


def draw_question(message: Message, *, actions: Actions, edit: Callable[[Message], bool]) -> None:
    """A person's message, or its editor."""
    with st.chat_message("user", avatar=_PERSON):
        if not edit(message):
            draw_attached(message)
            if message.content:
                st.markdown(as_typed(message.content))
            actions(message)


def reserve_answer() -> AnswerFrame:
    """The places of the answer that is being written, where the script stands."""
    with st.chat_message("assistant", avatar=_MODEL):
        return reserve_frame()


def draw_live_answer(
    live: LiveTurn,
    frame: AnswerFrame,
    *,
    load: Callable[[LiveTurn], Message | None],
    label: Label,
    actions: Actions,
    goes_on: Message | None = None,
) -> Message | None:
    """A running answer, drawn until it ends; then `load(live)` brings it as it was stored, with its figures.

    `goes_on` is the answer so far, when this turn goes on with one.
    """
    state.mark_streamed(goes_on.id if goes_on else live.ids.answer)
    draw_steps(frame.body, goes_on.steps if goes_on else ())
    before = goes_on.content if goes_on else ""
    draw_running(live.buffer, frame, before=before, thought_ms=lambda: live.thought_until(utc_now()))
    answer = load(live)
    if answer is None:
        frame.footer.empty()
        return None
    draw_thoughts(frame.reasoning, answer)
    _draw_end(frame, answer, label, actions)
    return answer


def _draw_answer(message: Message, label: Label, actions: Actions) -> None:
    with st.chat_message("assistant", avatar=_MODEL):
        if state.was_streamed(message.id):
            _draw_as_streamed(message, reserve_frame(), label, actions)
        else:
            _draw_at_once(message, label)
            actions(message)


def _draw_at_once(message: Message, label: Label) -> None:
    if thoughts_of(message):
        draw_thoughts(st.empty(), message)
    if message.steps:
        draw_steps(st.container(), message.steps)
    if message.content:
        st.markdown(renderable(message.content))
    elif message.status == "complete":
        st.caption("The model sent an empty answer.")
    st.caption(footer(message, label))
    if message.error_message or message.receipt:
        _draw_below(st.empty(), message, label)


def _draw_as_streamed(message: Message, frame: AnswerFrame, label: Label, actions: Actions) -> None:
    draw_thoughts(frame.reasoning, message)
    draw_steps(frame.body, message.steps)
    draw_blocks(frame.body, message.content)
    _draw_end(frame, message, label, actions)


def _draw_end(frame: AnswerFrame, message: Message, label: Label, actions: Actions) -> None:
    frame.footer.caption(footer(message, label))
    _draw_below(frame.problem, message, label)
    with frame.actions.container():
        actions(message)


def _draw_below(slot: DeltaGenerator, message: Message, label: Label) -> None:
    """What is wrong with an answer and which tries it took, if anything."""
    if message.error_message or (message.receipt and len(message.receipt.tries) > 1):
        with slot.container():
            draw_message_error(message)
            if message.receipt:
                draw_tries(message.receipt, label)


def footer(message: Message, label: Label, *, named: bool = True) -> str:
    """The quiet line under an answer: who answered (if `named`), for whom, how it ended, what it took."""
    who = f"**{literal(message.model_label or 'unknown model')}**" if named else ""
    detour = answered_words(message.receipt, label) if message.receipt else ""
    parts = [words] if (words := f"{who} {detour}".strip()) else []
    if ending := _ENDINGS.get(message.status):
        parts.append(ending)
    elif message.finish_reason == "length" and message.note is None:
        parts.append("cut at its length limit")
    if message.note:
        parts.append(literal(message.note))
    if message.figures is not None and message.status != "failed":
        parts.append(literal(formats.answer_line(message.figures)))
    return " · ".join(parts)


def _draw_earlier_button(hidden: int, *, shown: int) -> None:
    count = min(hidden, _EARLIER)
    st.button(
        f"Show {count} earlier messages" if count > 1 else "Show 1 earlier message",
        key="earlier",
        type="tertiary",
        icon=":material/expand_less:",
        on_click=show_at_least,
        args=(shown + count,),
    )


def draw_ways_on(
    slot: DeltaGenerator,
    last: Message,
    answer_again: Callable[[str, str | None], None],
    *,
    go_on: Callable[[str, str | None], None],
    offer: Callable[[Message], Sequence[Instead]],
) -> None:
    """The ways on after an answer that did not come to its end, or that was kept from before.

    They call `go_on(answer_id, model_id)` or `answer_again(question_id, model_id)`; without a model id the chosen one
    is asked. `offer` names the models to ask instead, after a failure or when somebody tired of waiting for the first
    word.
    """
    if last.role != "assistant" or last.parent_id is None:
        return
    kept = last.figures is not None and last.figures.cost_code == "cached"
    again, goes_on = last.status != "complete" or kept, unfinished(last)
    if not again and not goes_on:
        return
    instead = offer(last) if again and (last.status in _FAILED or not last.content) else ()
    with slot.container(gap="xsmall"):
        with st.container(horizontal=True):
            if goes_on:
                _draw_go_on(last, go_on)
            if again:
                _draw_again(last, answer_again, instead=instead)
        _draw_words(instead)


def _draw_go_on(last: Message, go_on: Callable[[str, str | None], None]) -> None:
    st.button(
        "Continue",
        key=f"again_go_on_{last.id}",
        icon=":material/resume:",
        help="The model goes on exactly where this answer stopped.",
        on_click=go_on,
        args=(last.id, last.served_model),
    )


def _draw_again(last: Message, answer_again: Callable[[str, str | None], None], *, instead: Sequence[Instead]) -> None:
    st.button(
        "Try again",
        key=f"again_{last.id}",
        icon=":material/refresh:",
        help="Answers the last message once more, with the model chosen on the left.",
        on_click=answer_again,
        args=(last.parent_id, None),
    )
    for one in instead:
        _draw_instead(last, one, answer_again)


def _draw_instead(last: Message, offered: Instead, answer_again: Callable[[str, str | None], None]) -> None:
    name, model_id = literal(offered.model.label), offered.model.id
    key = f"instead_{last.id}_{model_id}"
    ask = partial(st.button, key=key, on_click=answer_again, args=(last.parent_id, model_id))
    if not offered.asks_first:
        ask(f"Ask {name} instead", help=_INSTEAD_HELP)
        return
    with st.popover(f"Ask {name} instead", key=f"ask_{key}"):
        st.markdown(literal(offered.words))
        ask(f"Ask {name}", icon=":material/check:")


def _draw_words(instead: Sequence[Instead]) -> None:
    for offered in instead:
        # Where the person is asked first, it stands beside the question.
        if offered.words and not offered.asks_first:
            st.caption(f":material/swap_horiz: {literal(offered.words)}")
