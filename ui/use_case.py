"""What a chat or a comparison is for: the person's choice, else a guess from the draft, made in the browser and said.

The draft stays in the browser (guess.js); what it sends is the name of a use case. Whoever sends before it has looked
is answered by the same table here. The store keeps it with the conversation, where its owner can correct it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import streamlit as st

from core.bootstrap import Services
from core.catalog.recommend import use_cases
from core.chat import use_case_guess
from core.chat.conversation import Conversation
from core.chat.live_turn import LiveTurn
from core.chat.store import set_use_case
from core.chat.use_case_guess import guess_use_case
from ui import echoes, state
from ui.markdown import literal
from ui.sources import source
from ui.unbroken import unbroken

_CHOICE, _GUESS = "recommend_for", "guess"
# What a chat or comparison that has not begun is for, and whether the person said so; what the pills hold is not to be
# relied on: a browser says again what it held in the chat before.
_HELD, _TOUCHED = "use_case_held", "use_case_touched"
# Where that was chosen, and what it began with.
_BEGAN = "use_case_began"
_OPEN = "use_case_of_open_chat"
_guess = st.components.v2.component("guess", js=source("guess.js"))


def draw_use_cases(names: Sequence[str], *, preferred: str | None, label: str, about: str) -> str | None:
    """Pills of use cases; what is chosen. `preferred` comes first; without one, the draft is guessed from."""
    if st.session_state.get(_BEGAN) != (label, preferred):
        st.session_state[_BEGAN] = (label, preferred)
        st.session_state[_HELD], st.session_state[_TOUCHED] = preferred, preferred in names
    if st.session_state[_HELD] not in names:
        st.session_state[_HELD] = None
    echoes.show(_CHOICE, st.session_state[_HELD])
    chosen = st.pills(
        label,
        names,
        key=_CHOICE,
        format_func=use_case_words,
        help=about,
        on_change=_touch,
    )
    if not st.session_state.get(_TOUCHED):
        with st.container(gap=None):
            if chosen is not None:
                st.caption("Guessed from what you type, in your browser. Choose another one if it is wrong.")
            _guess(key=_GUESS, data=guess_table(names), on_guess_change=partial(_take_guess, names))
    return chosen


def note_use_case(conversation: Conversation | None, *, begun: bool) -> None:
    """Remember what the open conversation is for, so that sending needs no look at the store.

    What was chosen for a chat ends when that has `begun`: the next one begins anew.
    """
    st.session_state[_OPEN] = (conversation.id, conversation.use_case) if conversation else None
    if begun:
        forget_choice()


def forget_choice() -> None:
    """The chat or comparison that it was made for has begun."""
    st.session_state.pop(_BEGAN, None)


def use_case_in_hand() -> str | None:
    """What the open chat is for, chosen or guessed; the list of models leads with it."""
    conversation_id = state.conversation_id()
    return (_choice() if conversation_id is None else _noted(conversation_id)) or None


def use_case_for(services: Services, text: str, conversation_id: str | None) -> str | None:
    """What a question counts for: what its conversation is for, in a new chat the choice, else a guess."""
    if conversation_id is not None and (known := _noted(conversation_id)) is not None:
        return known or None
    if conversation_id is None and _chosen_here():
        return _choice()
    return state.use_case() or guess_use_case(text, use_cases(services.registry.current().models))


def keep_use_case(services: Services, live: LiveTurn) -> None:
    """Let the later questions of a conversation count for the same as this one.

    The engine has stored what a new conversation is for, unless that is nothing.
    """
    request, conversation_id = live.request, live.ids.conversation
    if request.temporary is not None:
        return
    name, new = request.use_case, request.conversation_id is None
    if new and name is None and _chosen_here():
        name = ""
    if name is not None and (name == "" if new else _noted(conversation_id) is None):
        set_use_case(services.database, conversation_id=conversation_id, user_id=request.user_id, use_case=name)
    if new or name is not None:
        st.session_state[_OPEN] = (conversation_id, name)


def _noted(conversation_id: str) -> str | None:
    known, name = st.session_state.get(_OPEN) or (None, None)
    return cast("str | None", name) if known == conversation_id else None


def _choice() -> str | None:
    return cast("str | None", st.session_state.get(_HELD)) if _BEGAN in st.session_state else None


def use_case_words(name: str) -> str:
    """A use case as a person reads it; the empty one is nothing in particular."""
    return literal(name.replace("_", " ")) or "nothing in particular"


def _chosen_here() -> bool:
    # Choosing nothing is a choice too: it takes a wrong guess back.
    return _BEGAN in st.session_state and bool(st.session_state.get(_TOUCHED))


def guess_table(names: Sequence[str]) -> dict[str, object]:
    """The table of words as the browser takes it."""
    known = [name for name in use_case_guess.WORDS if name in names]
    return {
        "words": {name: sorted(use_case_guess.WORDS[name]) for name in known},
        "signs": {name: list(use_case_guess.SIGNS[name]) for name in known},
        "signPoints": use_case_guess.SIGN_POINTS,
        "characters": use_case_guess.LOOKED_AT_CHARACTERS,
        "enough": use_case_guess.ENOUGH_POINTS,
        "lead": use_case_guess.LEAST_LEAD,
    }


@unbroken
def _touch() -> None:
    if echoes.is_changed(_CHOICE):
        st.session_state[_HELD], st.session_state[_TOUCHED] = st.session_state[_CHOICE], True


@unbroken
def _take_guess(names: Sequence[str]) -> None:
    # Anybody can send anything.
    found = getattr(st.session_state.get(_GUESS), "guess", None)
    if not st.session_state.get(_TOUCHED):
        st.session_state[_HELD] = found if found in names else None
