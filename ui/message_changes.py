"""What the actions under a message do. Callbacks ask who is acting: they run before the gate does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.accounts.preferences import load_preferences, read_preferences
from core.accounts.users import User
from core.bootstrap import Services
from core.chat.branches import delete_branch, restore_branch, show_branch
from core.chat.feedback import Rating, Thumb, load_ratings, rate
from core.errors import SwitchboardError
from ui import chat, compare_begin, message_state, state
from ui.auth import current_user
from ui.message_state import Deleted
from ui.temporary_chat import bring_back, take_out, temporary_id, unstored_answer
from ui.unbroken import once, unbroken

_THUMBS: Mapping[str, Thumb] = {"good": 1, "bad": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The message that is acted on. `question_id` is what an answer answers; `model_id` gave it."""

    conversation_id: str
    message_id: str
    question_id: str | None
    model_id: str | None
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """An answer and its thumb: 1 or -1, 0 for none."""

    conversation_id: str
    message_id: str
    thumb: int


@unbroken
def act(services: Services, target: Target, name: str) -> None:
    """Do one of the actions of a message's row; an unknown one does nothing."""
    match name:
        case "edit":
            message_state.edit(target.message_id)
        case "with":
            message_state.ask_again(target.message_id)
        case "again" | "chosen" if target.question_id is not None:
            model_id = target.model_id if name == "again" else None
            chat.answer_again(services, target.question_id, model_id)
        case "three":
            compare_begin.try_with_three(services, target.conversation_id, target.message_id)
        case "previous" | "next":
            _step(services, target, target.previous if name == "previous" else target.next)
        case "good" | "bad":
            _thumb(services, target, _THUMBS[name])
        case "delete":
            _delete(services, target)


@unbroken
def resend(services: Services, message_id: str) -> None:
    """Send what stands in the editor of a question; a refusal leaves the editor open."""
    text = str(st.session_state.get(message_state.edit_key(message_id)) or "")
    message_state.keep_edit_draft(message_id, text)
    if chat.resend(services, message_id, text):
        message_state.keep_edit_draft(message_id, None)
        message_state.edit(None)


@unbroken
def cancel_edit(message_id: str) -> None:
    """Close the editor of a question; what was typed is there when it opens again."""
    text = st.session_state.get(message_state.edit_key(message_id))
    message_state.keep_edit_draft(message_id, text if isinstance(text, str) else None)
    message_state.edit(None)


@unbroken
def undo_delete(services: Services, deleted: Deleted) -> None:
    """Bring back a deleted message with its branch."""

    def work(user: User) -> None:
        if temporary_id() == deleted.conversation_id:
            bring_back()
            message_state.offer_restore(None)
            return
        restore = partial(
            restore_branch,
            services.database,
            conversation_id=deleted.conversation_id,
            user_id=user.id,
            message_id=deleted.message_id,
        )
        once("restore", restore)
        message_state.offer_restore(None)

    _as_user(services, work)


def thumbs(services: Services, chat_id: str) -> Mapping[str, int]:
    """One's ratings of a chat's answers by their ids: 1 and -1. Read when it is opened, then remembered."""
    kept = message_state.thumbs(chat_id)
    if kept is None and (user := current_user(services)) is not None:
        found = load_ratings(services.database, conversation_id=chat_id, user_id=user.id)
        kept = {message_id: rating.rating for message_id, rating in found.items()}
        message_state.keep_thumbs(chat_id, kept)
    return kept or {}


@unbroken
def keep_reason(services: Services, rated: Rated, key: str) -> None:
    """Keep why an answer was rated as it was: what stands in the widget of this key."""

    def work(user: User) -> None:
        reason = st.session_state.get(key)
        thumb: Thumb = 1 if rated.thumb > 0 else -1
        _rate(services, user, rated, Rating(rating=thumb, reason=reason if isinstance(reason, str) else None))
        message_state.ask_reason(None)

    _as_user(services, work)


def _step(services: Services, target: Target, message_id: str | None) -> None:
    def work(user: User) -> None:
        if message_id is not None:
            show_branch(
                services.database,
                conversation_id=target.conversation_id,
                user_id=user.id,
                message_id=message_id,
            )

    _as_user(services, work)


def _delete(services: Services, target: Target) -> None:
    def work(user: User) -> None:
        in_store = partial(
            delete_branch,
            services.database,
            conversation_id=target.conversation_id,
            user_id=user.id,
            message_id=target.message_id,
        )
        here = temporary_id() == target.conversation_id
        count = once("delete", partial(take_out, services, target.message_id) if here else in_store)
        message_state.offer_restore(
            Deleted(conversation_id=target.conversation_id, message_id=target.message_id, count=count)
        )

    _as_user(services, work)


def _thumb(services: Services, target: Target, thumb: Thumb) -> None:
    before = once("before", lambda: (message_state.thumbs(target.conversation_id) or {}).get(target.message_id, 0))
    rated = Rated(conversation_id=target.conversation_id, message_id=target.message_id, thumb=before)

    def work(user: User) -> None:
        taken_back = before == thumb
        _rate(services, user, rated, None if taken_back else Rating(rating=thumb))
        message_state.ask_reason(None if taken_back else target.message_id)

    _as_user(services, work)


def _rate(services: Services, user: User, rated: Rated, rating: Rating | None) -> None:
    use_case = read_preferences(load_preferences(services.database, user.id)).use_case
    rate(
        services.database,
        message_id=rated.message_id,
        user_id=user.id,
        rating=rating,
        use_case=use_case,
        unstored=unstored_answer(rated.message_id),
    )
    kept = dict(message_state.thumbs(rated.conversation_id) or {})
    kept[rated.message_id] = 0 if rating is None else rating.rating
    message_state.keep_thumbs(rated.conversation_id, kept)


def _as_user(services: Services, work: Callable[[User], None]) -> None:
    user = current_user(services)
    if user is None:
        return
    try:
        work(user)
    except SwitchboardError as error:
        state.leave_notice(str(error))
