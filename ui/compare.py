"""What the page of comparisons does: open one, send, stop, delete. Callbacks ask who is acting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.arena.asking import Asked, Words
from core.arena.comparison import (
    Column,
    Comparison,
    Origin,
    delete_comparison,
    load_comparison,
    rename_comparison,
    restore_comparison,
    set_use_case,
)
from core.arena.line_ups import keep_in_use, load_in_use
from core.arena.said import leaves_of, messages_in, messages_of_column, versions_of
from core.bootstrap import Services
from core.chat.conversation import Attachment, Conversation, Message
from core.chat.store import load_conversation
from core.chat.tree import Place
from core.chat.turns import LiveTurn
from core.errors import NotFound, SwitchboardError
from ui import compare_state, file_state, state, use_case
from ui.auth import current_user
from ui.echoes import is_changed
from ui.unbroken import once, unbroken

ALL = "all"

_STOP_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenComparison:
    """What the page shows: a comparison, what was said in each column, and the turns that are being answered.

    Both by column id. `chat` is the one that it goes on from, or would, unless that was deleted. `versions` says of
    last answers which one of several they are, by their ids.
    """

    comparison: Comparison | None = None
    said: Mapping[str, Sequence[Message]] = field(default_factory=dict)
    live: Mapping[str, LiveTurn] = field(default_factory=dict)
    origin: Origin | None = None
    chat: Conversation | None = None
    versions: Mapping[str, Place] = field(default_factory=dict)

    @property
    def prompt(self) -> Message | None:
        """The first question, the same in all columns that took it."""
        columns = self.comparison.answers if self.comparison else ()
        return next((self.said[column.id][0] for column in columns if self.said.get(column.id)), None)

    def answer_of(self, column: Column) -> Message | None:
        """The last answer of a column, if it has ended and says something."""
        said = self.said.get(column.id) or ()
        ended = column.id not in self.live and bool(said) and said[-1].role == "assistant"
        return said[-1] if ended and said[-1].content else None


def load_open(services: Services, user: User) -> OpenComparison:
    """The comparison of the URL, or what a new one begins with. Raises NotFound for one that is not this person's."""
    comparison_id = compare_state.comparison_id()
    if comparison_id is None:
        origin = compare_state.origin()
        return OpenComparison(origin=origin, chat=_chat_of(services, origin, user))
    comparison = load_comparison(services.database, comparison_id=comparison_id, user_id=user.id)
    # Asked before the messages are read: a turn that ends in between is then drawn from its buffer, not missed.
    live = services.arena.running(comparison)
    said = {
        column_id: without_running(messages, live.get(column_id))
        for column_id, messages in messages_in(services.database, comparison, comparison.columns).items()
    }
    chat = _chat_of(services, comparison.origin, user)
    versions = versions_of(services.database, said)
    return OpenComparison(
        comparison=comparison, said=said, live=live, origin=comparison.origin, chat=chat, versions=versions
    )


def load_said(services: Services, comparison: Comparison, column: Column) -> Sequence[Message]:
    """What was said in a column."""
    return messages_of_column(services.database, comparison, column)


def load_versions(services: Services, column: Column, said: Sequence[Message]) -> Mapping[str, Place]:
    """Which one of several the last answer of a column is, by its id."""
    return versions_of(services.database, {column.id: said})


def without_running(said: Sequence[Message], live: LiveTurn | None) -> Sequence[Message]:
    """What was said without the answer that is being written."""
    return said if live is None else [message for message in said if message.id != live.ids.answer]


def _chat_of(services: Services, origin: Origin | None, user: User) -> Conversation | None:
    if origin is None:
        return None
    try:
        return load_conversation(services.database, conversation_id=origin.conversation_id, user_id=user.id)
    except NotFound:
        return None


def words_of(text: str, attachments: Sequence[Attachment] = (), *, use_case: str | None) -> Words:
    """A message as this person sends it now, for this use case (None or empty: for nothing in particular)."""
    return Words(text=text, attachments=attachments, use_case=use_case or None, most_usd=state.answer_cap())


@unbroken
def send(services: Services, text: str) -> None:
    """Put a prompt to the line-up, or another message to the columns that are chosen.

    A refusal leaves the text in the composer and a sentence on the page.
    """
    user = current_user(services)
    if user is None:
        state.keep_draft(text)
        return
    compare_state.stop_pointing_out()
    opened = compare_state.comparison_id()
    ask = partial(_follow_up, services, user, opened) if opened else partial(_begin, services, user)
    try:
        comparison_id = once("ask", partial(ask, text))
    except SwitchboardError as error:
        state.keep_draft(text)
        state.leave_notice(str(error))
        return
    file_state.set_waiting(())
    compare_state.offer_undo(None)
    if not opened:
        compare_state.note_begun(comparison_id)
        compare_state.open_comparison(comparison_id)


def _begin(services: Services, user: User, text: str) -> str:
    words = words_of(text, file_state.waiting(), use_case=use_case.use_case_for(services, text, None))
    entries = [seat.entry for seat in compare_state.line_up() or ()]
    models = services.offered_models(user)
    begin = services.arena.begin
    made = begin(user_id=user.id, words=words, entries=entries, models=models, origin=compare_state.origin())
    # Every change of the line-up was kept: only one that was proposed is news, and reading is quicker than writing.
    if list(load_in_use(services.database, user_id=user.id)) != entries:
        keep_in_use(services.database, user_id=user.id, entries=entries)
    return made.id


def _follow_up(services: Services, user: User, comparison_id: str, text: str) -> str:
    comparison = load_comparison(services.database, comparison_id=comparison_id, user_id=user.id)
    words = words_of(text, file_state.waiting(), use_case=comparison.use_case)
    wanted = st.session_state.get(compare_state.TO, ALL)
    columns = [column for column in comparison.answers if wanted in {ALL, column.id}] or comparison.answers
    asked: Asked = services.arena.follow_up(comparison, columns, words)
    if asked.refused and all(getattr(error, "code", "") == "busy" for error in asked.refused.values()):
        state.leave_notice("A column that was still answering has not got this message.")
    return comparison.id


@unbroken
def stop(services: Services, lives: Sequence[LiveTurn]) -> None:
    """Stop running answers and wait the moment until they are stored."""
    for live in lives:
        services.engine.stop(live)
    for live in lives:
        live.buffer.wait_until_ended(timeout_s=_STOP_WITHIN_S)


@unbroken
def take_use_case(services: Services, comparison_id: str, key: str) -> None:
    """Keep what a comparison is for, as the person has corrected it."""
    user, chosen = current_user(services), st.session_state.get(key)
    if user is not None and isinstance(chosen, str) and is_changed(key):
        set_use_case(services.database, comparison_id=comparison_id, user_id=user.id, use_case=chosen)


def rename(services: Services, comparison: Comparison, title: str) -> None:
    """Give a comparison another title. Raises SwitchboardError for an empty one."""
    rename_comparison(services.database, comparison_id=comparison.id, user_id=comparison.user_id, title=title)


@unbroken
def delete(services: Services, comparison_id: str, title: str) -> None:
    """Delete a comparison, with an offer to bring it back; what still runs in it is stopped."""
    user = current_user(services)
    if user is None:
        return
    once("delete", partial(_delete, services, comparison_id, user))
    compare_state.offer_undo(comparison_id, title)
    compare_state.open_comparison(None)


def _delete(services: Services, comparison_id: str, user: User) -> None:
    comparison = load_comparison(services.database, comparison_id=comparison_id, user_id=user.id)
    stop(services, list(services.arena.running(comparison).values()))
    delete_comparison(services.database, comparison_id=comparison_id, user_id=user.id)


@unbroken
def undo_delete(services: Services, comparison_id: str) -> None:
    """Bring back a comparison and show it."""
    user = current_user(services)
    if user is not None:
        restore_comparison(services.database, comparison_id=comparison_id, user_id=user.id)
        compare_state.offer_undo(None)
        compare_state.open_comparison(comparison_id)


def column_signature(services: Services, comparison: Comparison) -> compare_state.Seen:
    """What is true of the columns now, to be held against what a tab has drawn."""
    live, leaves = services.arena.running(comparison), leaves_of(services.database, comparison)
    return [
        (column.id, leaves.get(column.id), live[column.id].ids.turn if column.id in live else None)
        for column in comparison.columns
    ]
