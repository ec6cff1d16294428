"""What can be done with one column of a comparison: retry it, go on with it, ask it more, continue with it in the chat.

And what adds one. Callbacks ask who is acting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.arena.comparison import Column, Comparison, load_comparison
from core.arena.continuing import continue_with
from core.arena.line_ups import Entry
from core.arena.said import messages_in
from core.bootstrap import Services
from core.chat.branches import show_branch
from core.chat.continuation import unfinished
from core.chat.conversation import Message
from core.errors import SwitchboardError
from ui import compare_state, state
from ui.auth import current_user
from ui.clicks import once_here
from ui.compare import load_said, words_of
from ui.unbroken import once, unbroken

JOINS = "compare_joins"

Work = Callable[[User, Comparison, Column], None]


@unbroken
def retry(services: Services, comparison_id: str, column_id: str) -> None:
    """Have a column answer its last question again, or take the message that it did not take."""

    def work(_user: User, comparison: Comparison, column: Column) -> None:
        said = load_said(services, comparison, column)
        question = next((message for message in reversed(said) if message.role == "user"), None)
        missed = _missed(services, comparison, column) if column.problem else None
        text, files = (missed.content, missed.attachments) if missed is not None else ("", ())
        words = words_of(text, files, use_case=comparison.use_case)
        again = None if missed is not None else question
        once("retry", lambda: services.arena.retry(comparison, column, question=again, words=words))

    _act(services, comparison_id, column_id, work)


def _missed(services: Services, comparison: Comparison, column: Column) -> Message | None:
    """The message that a column refused: the last one that another column took."""
    others = [other for other in comparison.answers if other.id != column.id]
    said = messages_in(services.database, comparison, others).values()
    return max(
        (message for messages in said for message in messages if message.role == "user"),
        key=lambda one: one.created_at,
        default=None,
    )


@unbroken
def go_on(services: Services, comparison_id: str, column_id: str) -> None:
    """Have a column go on with its answer where that was cut off."""

    def work(_user: User, comparison: Comparison, column: Column) -> None:
        said = load_said(services, comparison, column)
        if said and unfinished(said[-1]):
            words = words_of("", use_case=comparison.use_case)
            once("go_on", lambda: services.arena.go_on(comparison, column, answer_id=said[-1].id, words=words))

    _act(services, comparison_id, column_id, work)


def next_question(column: Column, comparison: Comparison, said: Mapping[str, Sequence[Message]]) -> Message | None:
    """What every other column was asked after the last question of this one; None when it has been asked as much."""
    asked = {name: [one for one in messages if one.role == "user"] for name, messages in said.items()}
    count = len(asked.get(column.id, ()))
    others = [asked.get(other.id, []) for other in comparison.answers if other.id != column.id]
    behind = bool(others) and count > 0 and all(len(questions) > count for questions in others)
    return others[0][count] if behind else None


@unbroken
def ask_next(services: Services, comparison_id: str, column_id: str) -> None:
    """Put to a column that joined later what the others were asked next."""

    def work(_user: User, comparison: Comparison, column: Column) -> None:
        question = next_question(column, comparison, messages_in(services.database, comparison, comparison.answers))
        if question is not None:
            words = words_of(question.content, question.attachments, use_case=comparison.use_case)
            once("next", lambda: services.arena.follow_up(comparison, [column], words))

    _act(services, comparison_id, column_id, work)


@unbroken
def join(services: Services, comparison_id: str, shown: int) -> None:
    """Let the model that was chosen answer the first question as a further column, beside the `shown` ones."""
    user, chosen = current_user(services), st.session_state.get(JOINS)
    if user is None or not isinstance(chosen, str):
        return
    try:
        comparison = load_comparison(services.database, comparison_id=comparison_id, user_id=user.id)
        said = messages_in(services.database, comparison, comparison.answers)
        question = next((messages[0] for messages in said.values() if messages), None)
        if question is not None:
            words = words_of(question.content, question.attachments, use_case=comparison.use_case)
            models = services.offered_models(user)
            work = partial(services.arena.join, comparison, Entry(model_id=chosen), models, words)
            joined = once_here("join", f"{comparison_id} {shown}", lambda: once("join", work))
            if joined is not None:
                compare_state.note_joined(joined.id)
    except SwitchboardError as error:
        state.leave_notice(str(error))


@unbroken
def show_version(services: Services, comparison_id: str, column_id: str, message_id: str) -> None:
    """Show another one of the answers that a column gave to its last question; it is the column's from now on."""

    def work(user: User, _comparison: Comparison, column: Column) -> None:
        show_branch(services.database, conversation_id=column.id, user_id=user.id, message_id=message_id)

    _act(services, comparison_id, column_id, work)


@unbroken
def continue_in_chat(services: Services, comparison_id: str, column_id: str) -> None:
    """Make what a column holds a chat, or a branch of the one it came from; the next run opens it."""

    def work(_user: User, comparison: Comparison, column: Column) -> None:
        chat_id = once("continue", lambda: continue_with(services.database, comparison, column))
        compare_state.open_chat(chat_id)

    _act(services, comparison_id, column_id, work)


@unbroken
def _act(
    services: Services, comparison_id: str, column_id: str, work: Callable[[User, Comparison, Column], None]
) -> None:
    user = current_user(services)
    if user is None:
        return
    try:
        comparison = load_comparison(services.database, comparison_id=comparison_id, user_id=user.id)
        column = next((column for column in comparison.columns if column.id == column_id), None)
        if column is not None:
            work(user, comparison, column)
    except SwitchboardError as error:
        state.leave_notice(str(error))
