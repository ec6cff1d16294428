"""The temporary chat of a tab: its messages are in this session only, and gone when it is left.

It is left by opening a conversation or a new chat, by a reload, by closing the tab and by signing out.
"""

from __future__ import annotations

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.chat import temporary
from core.chat.conversation import Message, by_id
from core.chat.temporary import TemporaryChat
from core.chat.turns import LiveTurn
from ui import state
from ui.auth import current_user
from ui.unbroken import unbroken

WHAT_IT_IS = (
    "Nothing said here is stored, only what it costs and how you rate it. It is gone when you leave it, reload or sign "
    "out."
)


def open_temporary(services: Services, user: User) -> TemporaryChat | None:
    """The temporary chat on show, up to date; None when there is none. An answer in one that was left is stopped."""
    held, left = state.temporary_chat(), state.take_left_turn()
    if left is not None:
        services.engine.stop(left)
    if held is None:
        return None
    if held.user_id != user.id:
        leave()
        return open_temporary(services, user)
    return up_to_date(services)


def up_to_date(services: Services) -> TemporaryChat | None:
    """The temporary chat with the answer that has come since it was looked at last; None when there is none."""
    held = state.temporary_chat()
    if held is not None:
        held = temporary.settle(held, services.database)
        state.set_temporary_chat(held)
    return held


def note_turn(live: LiveTurn) -> None:
    """A turn of the temporary chat is being answered."""
    if held := state.temporary_chat():
        state.set_temporary_chat(temporary.follow(held, live))


def temporary_id() -> str | None:
    """What the temporary chat on show is known by; None when there is none."""
    held = state.temporary_chat()
    return None if held is None else held.id


def take_out(services: Services, message_id: str) -> int:
    """Delete a message of the temporary chat and what follows it; `bring_back` undoes it. Returns how many went.

    Raises TurnRefused while an answer is being written, NotFound.
    """
    held = up_to_date(services)
    if held is None:
        return 0
    shorter = temporary.without(held, message_id)
    state.set_temporary_chat(shorter)
    return len(shorter.removed)


def bring_back() -> None:
    """Undo `take_out`."""
    if held := state.temporary_chat():
        state.set_temporary_chat(temporary.bring_back(held))


def unstored_answer(message_id: str) -> Message | None:
    """The message of the temporary chat with this id, if there is one."""
    held = state.temporary_chat()
    return None if held is None else by_id(held.messages).get(message_id)


def leave() -> None:
    """Forget the temporary chat, if there is one."""
    state.set_temporary_chat(None)


def draw_begin(services: Services) -> None:
    """The way into a temporary chat, on an empty page."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Temporary chat",
            key="begin_temporary",
            icon=":material/visibility_off:",
            type="tertiary",
            help=WHAT_IT_IS,
            on_click=_begin,
            args=(services,),
        )


def draw_mark() -> None:
    """What says that this chat is temporary, and the way out of it."""
    with st.container(border=True, key="temporary_mark", horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f":material/visibility_off: **Temporary chat.** {WHAT_IT_IS}", width="stretch")
        st.button("Leave it", key="leave_temporary", type="tertiary", on_click=state.open_conversation, args=(None,))


@unbroken
def _begin(services: Services) -> None:
    user = current_user(services)
    if user is not None:
        state.open_conversation(None)
        state.set_temporary_chat(temporary.begin(user.id))
