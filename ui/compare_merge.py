"""Merging the answers of a comparison: how, by which model, and the prompt to read and change before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.arena.comparison import Column, Comparison, NewColumn, load_comparison
from core.arena.merging import CRITERIA, WAYS, Said, Way, instruction, merge_prompt
from core.arena.points import Point, points_of
from core.bootstrap import Services
from core.chat.conversation import Message
from core.errors import SwitchboardError
from ui import state
from ui.auth import current_user
from ui.clicks import once_here
from ui.compare import OpenComparison, words_of
from ui.compare_diff import column_names
from ui.compare_estimate import estimate_words, quote_text
from ui.formats import short_price
from ui.markdown import literal
from ui.unbroken import once, unbroken

_WAY, _MODEL, _CRITERIA = "merge_way", "merge_model", "merge_criteria"
_SHOWN_PX, _WRITTEN_PX = 260, 170

# By column id.
Answered = Mapping[str, tuple[Column, Message]]


def draw_merge(services: Services, user: User, opened: OpenComparison) -> None:
    """The panel that makes one answer of several; nothing before there are two."""
    answered = _answered(opened)
    if len(answered) < 2 or opened.comparison is None:  # noqa: PLR2004 - two are needed to be merged
        return
    comparison = opened.comparison
    # One for each number of columns: where there is a further one, the merged answer stands in its place.
    key = f"merge_{len(comparison.columns)}"
    place = st.expander("Merge the answers", key=key, icon=":material/merge:", on_change="rerun")
    if not place.open:
        return
    with place:
        way = _choose_way()
        points = _choose_points(way, answered)
        wanted = _edit(way, points)
        text = _prompt(opened, answered, wanted)
        with st.expander("The whole message", type="compact"), st.container(height=_SHOWN_PX, border=False):
            st.code(text, language=None, wrap_lines=True)
        _draw_sending(services, user, comparison, text, answered)


def _answered(opened: OpenComparison) -> Answered:
    columns = opened.comparison.answers if opened.comparison else ()
    return {column.id: (column, answer) for column in columns if (answer := opened.answer_of(column))}


def _choose_way() -> Way:
    chosen: Way | None = st.segmented_control(
        "Make of them", list(WAYS), key=_WAY, default="fuse", required=True, format_func=lambda way: WAYS[way]
    )
    return chosen or "fuse"


def _choose_points(way: Way, answered: Answered) -> Sequence[str]:
    match way:
        case "fuse":
            return ()
        case "checklist":
            return _tick(answered)
        case "table":
            return st.multiselect(
                "Criteria", list(CRITERIA), default=list(CRITERIA), key=_CRITERIA, accept_new_options=True
            )


def _tick(answered: Answered) -> Sequence[str]:
    names = column_names([column for column, _ in answered.values()])
    makers = [names[column.id] for column, _ in answered.values()]
    found = points_of([answer.content for _, answer in answered.values()])
    if not found:
        st.caption("No points were found in these answers: write into the instruction what you want.")
    with st.container(key="merge_points", gap="xsmall"):
        st.caption("Points found in the answers. Tick those that the merged answer must make.")
        return [point.text for place, point in enumerate(found) if _tick_one(place, point, makers)]


def _tick_one(place: int, point: Point, makers: Sequence[str]) -> bool:
    said_by = ", ".join(makers[answer] for answer in point.answers)
    # What several say is ticked from the start. The key holds the text: other answers have other points.
    return st.checkbox(
        f"{literal(point.text)} :gray[{literal(said_by)}]",
        value=len(point.answers) > 1,
        key=f"point_{place}_{point.text[:60]}",
    )


def _edit(way: Way, points: Sequence[str]) -> str:
    """The instruction, written anew whenever what it is made of changes, and then the person's own."""
    made = instruction(way, points=points)
    key = f"merge_wanted_{abs(hash(made))}"
    st.session_state.setdefault(key, made)
    return st.text_area("Instruction", key=key, height=_WRITTEN_PX, help="The question and the answers follow it.")


def _prompt(opened: OpenComparison, answered: Answered, wanted: str) -> str:
    names = column_names([column for column, _ in answered.values()])
    said = [Said(names[column.id], answer.content) for column, answer in answered.values()]
    return merge_prompt(wanted, question=_question(opened), answers=said)


def _question(opened: OpenComparison) -> str:
    columns = opened.comparison.answers if opened.comparison else ()
    asked = [message for column in columns for message in opened.said.get(column.id, ()) if message.role == "user"]
    last = max(asked, key=lambda message: message.created_at, default=None)
    return last.content if last else ""


def _draw_sending(services: Services, user: User, comparison: Comparison, text: str, answered: Answered) -> None:
    models = services.offered_models(user)
    ids = list(models)
    usual = next((column.model_id for column, _ in answered.values() if column.model_id in models), None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen: str | None = st.selectbox(
            "Model",
            ids,
            key=_MODEL,
            index=ids.index(usual) if usual else 0,
            format_func=lambda model_id: f"{models[model_id].label} · {short_price(models[model_id].prices)}",
            width=320,
        )
        model = models.get(chosen or "")
        sources = [answer.id for _, answer in answered.values()]
        send = partial(_merge, services, comparison, chosen, text, sources)
        st.button(
            "Merge", key="merge_start", type="primary", icon=":material/merge:", disabled=not model, on_click=send
        )
        if model is not None:
            st.caption(literal(estimate_words([quote_text(services, model, text)])), width="content")


@unbroken
def _merge(services: Services, comparison: Comparison, model_id: str | None, text: str, sources: Sequence[str]) -> None:
    user = current_user(services)
    if user is None:
        return
    model = services.offered_models(user).get(model_id or "")
    if model is None:
        state.leave_notice("This model is no longer offered. Choose another one.")
        return
    new = NewColumn(model_id=model.id, model_label=model.label, parameters={}, kind="merge", sources=sources)
    try:
        now = load_comparison(services.database, comparison_id=comparison.id, user_id=user.id)
        work = partial(services.arena.merge, now, new, words_of(text, use_case=now.use_case))
        once_here("merge", f"{now.id} {len(comparison.columns)}", lambda: once("merge", work))
    except SwitchboardError as error:
        state.leave_notice(str(error))
