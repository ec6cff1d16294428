"""What the address of the page says, beside the page itself.

With every click a browser sends the address that it shows, for a moment also that of before: who opens another
conversation and clicks on at once would be back in the first one. So what was just left is not believed for a moment,
unless somebody has gone back in the browser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.echoes import ECHO_S

_LEFT = "address_left"


@dataclass(frozen=True, slots=True)
class _Left:
    """What a name said before it was put to `now`, lately, `at` seconds of the clock."""

    now: tuple[str, ...]
    before: frozenset[tuple[str, ...]]
    at: float


def put(name: str, *values: str, clock: Callable[[], float] = time.monotonic) -> None:
    """Have the address say these values; with none the name is left out. What it says already is not sent again.

    Streamlit sends whatever is set, and the browser then goes through the whole page: six times in every run of a
    conversation's page, while each question about the open conversation set it.
    """
    said, at = tuple(st.query_params.get_all(name)), clock()
    lately = _lately(name, at)
    if said == values and (lately is None or lately.now == values):
        return
    before = {said} if lately is None else {said, lately.now, *lately.before}
    _left()[name] = _Left(values, frozenset(before - {values}), at)
    _set(name, values)


def values(name: str, *, clock: Callable[[], float] = time.monotonic) -> Sequence[str]:
    """What the address says under a name; where a browser still says what was left a moment ago, what came after."""
    said, lately = tuple(st.query_params.get_all(name)), _lately(name, clock())
    context = get_script_run_ctx(suppress_warning=True)
    gone_back = context is not None and context.is_history_navigation
    if lately is None or said not in lately.before or gone_back:
        return said
    _set(name, lately.now)
    return lately.now


def value(name: str) -> str | None:
    """The one value under a name; None for none."""
    return next(iter(values(name)), None)


def _set(name: str, wanted: Sequence[str]) -> None:
    if wanted:
        st.query_params[name] = list(wanted)
    else:
        st.query_params.pop(name, None)


def _lately(name: str, now: float) -> _Left | None:
    left = _left().get(name)
    return left if left is not None and now - left.at < ECHO_S else None


def _left() -> dict[str, _Left]:
    kept: dict[str, _Left] = st.session_state.setdefault(_LEFT, {})
    return kept
