"""Why is it different: two answers of a comparison held against each other, word by word."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.arena.comparison import Column
from core.arena.word_diff import Part, WordDiff, word_diff
from core.bootstrap import Services
from core.catalog.parameters import parameter_label
from ui import compare_state
from ui.auth import current_user
from ui.compare import OpenComparison
from ui.markdown import literal

_LEFT, _RIGHT = "differ_left", "differ_right"
_HEIGHT_PX = 460


def draw_difference(services: Services, opened: OpenComparison) -> None:
    """The dialog, if somebody has just asked for it."""
    asked = compare_state.take_difference()
    columns = {column.id: column for column in _answered(opened)}
    if asked not in columns:
        return
    others = [column_id for column_id in columns if column_id != asked]
    if not others:
        st.toast("There is no second answer yet to compare with.", icon=":material/difference:")
        return
    st.session_state[_LEFT], st.session_state[_RIGHT] = asked, others[0]
    _draw(services, opened, columns)


@st.dialog("Why is it different?", width="large")
def _draw(services: Services, opened: OpenComparison, columns: dict[str, Column]) -> None:
    # A dialog's run does not pass the gate of app.py.
    if current_user(services) is None:
        return
    names = column_names(list(columns.values()))
    with st.container(horizontal=True):
        for key, label in ((_LEFT, "This answer"), (_RIGHT, "against this one")):
            st.selectbox(label, list(columns), key=key, format_func=lambda column_id: names[column_id])
    left, right = (columns[str(st.session_state[key])] for key in (_LEFT, _RIGHT))
    answers = [opened.answer_of(column) for column in (left, right)]
    if left.id == right.id or None in answers:
        st.caption("Choose two different answers.")
        return
    texts = [answer.content for answer in answers if answer is not None]
    found = word_diff(*texts)
    st.markdown(literal(_summary(found, names[left.id], names[right.id])))
    for sentence in set_differently(left, right, names):
        st.caption(literal(sentence))
    with st.container(height=_HEIGHT_PX, key="word_diff"):
        st.html(diff_html(found, names[left.id], names[right.id]))


def column_names(columns: list[Column]) -> dict[str, str]:
    """What to call each column, by its id: its label, with its place where two have the same."""
    labels = [column.model_label for column in columns]
    return {
        column.id: column.model_label
        if labels.count(column.model_label) == 1
        else f"{column.model_label} (column {column.position + 1})"
        for column in columns
    }


def set_differently(left: Column, right: Column, names: dict[str, str]) -> list[str]:
    """A sentence for every parameter that the two columns do not share."""
    sentences = []
    for name in dict.fromkeys([*left.parameters, *right.parameters]):
        values = [column.parameters.get(name, "not set") for column in (left, right)]
        if values[0] != values[1]:
            said = " · ".join(
                f"{names[column.id]}: {value}" for column, value in zip((left, right), values, strict=True)
            )
            sentences.append(f"{parameter_label(name)} differs. {said}")
    return sentences


def diff_html(found: WordDiff, left: str, right: str) -> str:
    """The two texts in one: what is only in one of them is marked by colour and by a line, and named for readers."""
    legend = f"<p class='legend'><del>only {escape(left)}</del> <ins>only {escape(right)}</ins></p>"
    return f"{legend}<div class='text'>{' '.join(_part(part, left, right) for part in found.parts)}</div>"


def _part(part: Part, left: str, right: str) -> str:
    text = escape(part.text)
    match part.where:
        case "both":
            return text
        case "left":
            return f"<del aria-label='only {escape(left, quote=True)}'>{text}</del>"
        case "right":
            return f"<ins aria-label='only {escape(right, quote=True)}'>{text}</ins>"


def _summary(found: WordDiff, left: str, right: str) -> str:
    words = f"{left} has {found.left_words:,} words, {right} {found.right_words:,}"
    if found.same_percent == 100:  # noqa: PLR2004 - all of them
        return f"The two answers are the same, word for word. {words}."
    return f"{found.same_percent} % of the words are the same. {words}."


def _answered(opened: OpenComparison) -> list[Column]:
    columns = opened.comparison.columns if opened.comparison else ()
    return [column for column in columns if opened.answer_of(column)]
