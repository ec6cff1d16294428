"""What a new chat is for: the person's choice, else a guess from the draft that is made in the browser and said.

The draft stays in the browser (guess.js); what it sends is the name of a use case. Whoever sends before it has looked
is answered by the same table here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import streamlit as st

from core.bootstrap import Services
from core.catalog.recommend import use_cases
from core.chat import use_case_guess
from core.chat.use_case_guess import guess_use_case
from ui import state
from ui.markdown import literal
from ui.unbroken import unbroken

_CHOICE, _GUESS = "recommend_for", "guess"
# Whether the person set the choice, and not a guess.
_TOUCHED = "use_case_touched"
_KEPT = "use_cases_of_conversations"
_guess = st.components.v2.component("guess", js=Path(__file__).with_name("guess.js").read_text(encoding="utf-8"))


def draw_use_cases(names: Sequence[str], *, preferred: str | None, label: str, about: str) -> str | None:
    """Pills of use cases; what is chosen. `preferred` comes first; without one, the draft is guessed from."""
    if _CHOICE not in st.session_state:
        st.session_state[_CHOICE] = preferred if preferred in names else None
        st.session_state[_TOUCHED] = preferred in names
    elif st.session_state[_CHOICE] not in names:
        st.session_state[_CHOICE] = None
    chosen = st.pills(
        label,
        names,
        key=_CHOICE,
        format_func=lambda name: literal(name.replace("_", " ")),
        help=about,
        on_change=_touch,
    )
    if not st.session_state.get(_TOUCHED):
        with st.container(gap=None):
            if chosen is not None:
                st.caption("Guessed from what you type, in your browser. Choose another one if it is wrong.")
            _guess(key=_GUESS, data=guess_table(names), on_guess_change=partial(_take_guess, names))
    return chosen


def use_case_in_hand() -> str | None:
    """What the open chat is for, chosen or guessed, as far as this session knows; the list of models leads with it."""
    conversation_id = state.conversation_id()
    if conversation_id is None:
        return cast("str | None", st.session_state.get(_CHOICE))
    return cast("str | None", st.session_state.get(_KEPT, {}).get(conversation_id))


def use_case_for(services: Services, text: str, conversation_id: str | None) -> str | None:
    """What a question counts for: the choice in a new chat, what its conversation is for, else a guess."""
    if conversation_id is not None:
        kept = st.session_state.get(_KEPT, {})
        if conversation_id in kept:
            return cast("str | None", kept[conversation_id])
    elif _chosen_here():
        return cast("str | None", st.session_state[_CHOICE])
    return state.use_case() or guess_use_case(text, use_cases(services.registry.current().models))


def keep_use_case(conversation_id: str, name: str | None) -> None:
    """Let the later questions of a conversation count for the same as this one, for as long as the session lasts."""
    if name is not None or _chosen_here():
        st.session_state[_KEPT] = {**st.session_state.get(_KEPT, {}), conversation_id: name}


def _chosen_here() -> bool:
    # Choosing nothing is a choice too: it takes a wrong guess back.
    return _CHOICE in st.session_state and bool(st.session_state.get(_TOUCHED))


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


def _words(name: str) -> str:
    return literal(name.replace("_", " "))


def _touch() -> None:
    st.session_state[_TOUCHED] = True


@unbroken
def _take_guess(names: Sequence[str]) -> None:
    # Anybody can send anything.
    found = getattr(st.session_state.get(_GUESS), "guess", None)
    if not st.session_state.get(_TOUCHED):
        st.session_state[_CHOICE] = found if found in names else None
