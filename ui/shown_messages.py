"""How many messages of the open conversation the page draws, and from which one on.

Streamlit tells the parts of a page apart by their places. If a page always began with the twelfth message from the end,
each turn would put every message two places higher, and the browser would lay all of them out anew, which takes longer
than the whole rest of a run. So a page begins with the message that it began with before, until it is too long.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.chat.conversation import Message
from ui.unbroken import unbroken

# A few screens. Each message more costs every opening and every run of the page, also of a thousand messages.
FIRST_MESSAGES = 12
# So many more before the page begins with a later message.
_GROWS_BY = 8

_SHOWN = "shown_messages"
_BEGINS = "shown_from"


def start_over() -> None:
    """Another conversation is shown: its last few messages."""
    st.session_state[_SHOWN] = FIRST_MESSAGES


@unbroken
def show_at_least(count: int) -> None:
    """Draw at least so many of the last messages from now on."""
    st.session_state[_SHOWN] = max(_wanted(), count)


def to_show(messages: Sequence[Message]) -> Sequence[Message]:
    """The last messages of a branch, those that are drawn."""
    place = first_place([message.id for message in messages], before=st.session_state.get(_BEGINS), least=_wanted())
    st.session_state[_BEGINS] = messages[place].id if messages else None
    return messages[place:]


def first_place(ids: Sequence[str], *, before: str | None, least: int) -> int:
    """Where the drawn messages begin on a branch of these ids.

    With `before`, the one that came first before, while that draws `least` messages or up to eight more, or all.
    """
    latest = max(0, len(ids) - least)
    earliest = max(0, latest - _GROWS_BY)
    kept = range(latest, earliest - 1, -1)
    return next((place for place in kept if place < len(ids) and ids[place] == before), latest)


def _wanted() -> int:
    return int(st.session_state.get(_SHOWN, FIRST_MESSAGES))
