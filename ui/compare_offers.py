"""What can be done with an answer of a comparison: go on with it, see what differs, step between its versions."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.arena.comparison import Column
from core.bootstrap import Services
from core.chat.continuation import unfinished
from core.chat.conversation import Message
from core.chat.tree import Place
from ui import compare_acts, compare_state
from ui.compare import OpenComparison
from ui.compare_acts import next_question
from ui.message_actions import draw_row
from ui.unbroken import unbroken


def draw_offers(services: Services, opened: OpenComparison, column: Column, message: Message) -> None:
    """The row of actions under the last answer of a column."""
    offers = []
    if opened.comparison and len(opened.comparison.columns) > 1:
        offers = [
            ["difference", "Why is it different? Shows what differs from another answer, word by word", "differ", ""]
        ]
    if unfinished(message):
        offers.append(
            ["resume", "Continue: the model goes on exactly where this answer stopped", "go_on", "Continue the answer"]
        )
    if opened.comparison and column.kind == "answer" and next_question(column, opened.comparison, opened.said):
        offers.append(["forward", "Asks what the others were asked next", "next", "Next question"])
    where = "as a branch of the chat" if opened.chat else "as a new chat"
    go_on = ["forum", f"Continue with this one, {where}", "continue", "Continue with this one"]
    key, place = f"offers_{message.id}", opened.versions.get(message.id)
    data: dict[str, object] = {"id": message.id, "role": "column", "text": message.content, "offers": [*offers, go_on]}
    if place is not None:
        data |= {"at": place.number, "of": place.count, "previous": place.previous, "next": place.next}
    draw_row(key=key, data=data, on_act_change=partial(_act, services, column, key, place))


@unbroken
def _act(services: Services, column: Column, key: str, place: Place | None) -> None:
    # What comes back is checked: anybody can send anything.
    act = getattr(st.session_state.get(key), "act", None)
    if place is not None and (beside := {"previous": place.previous, "next": place.next}.get(str(act))):
        compare_acts.show_version(services, column.comparison_id, column.id, beside)
        return
    match act:
        case "continue":
            compare_acts.continue_in_chat(services, column.comparison_id, column.id)
        case "differ":
            compare_state.ask_difference(column.id)
        case "go_on":
            compare_acts.go_on(services, column.comparison_id, column.id)
        case "next":
            compare_acts.ask_next(services, column.comparison_id, column.id)
        case _:
            return
