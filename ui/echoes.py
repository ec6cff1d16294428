"""What a browser says again of a widget, told from what a person put in.

With every click a browser sends what all widgets hold, for a moment also those that have gone from the page, and the
value that the server has just taken out of one. Streamlit takes that for a change and calls `on_change`: a parameter
of the chat that was left would be set in the new one, and what was reset would be back. Widgets whose value depends on
where one is are drawn with `show` or followed by `note`, and their callbacks ask `is_changed`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui.unbroken import once

# A browser has taken in what was drawn by then, on a slow connection too. Nobody types a value again that soon.
ECHO_S = 1.0

_SHOWN = "shown_in_widgets"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a widget was last drawn with, and what was taken out of it then, `at` seconds of the clock."""

    value: Any
    taken_out: tuple[Any, ...] = ()
    at: float = 0.0


def show(key: str, value: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Put a value into the widget with this key, which is about to be drawn."""
    held = st.session_state.get(key, value)
    st.session_state[key] = value
    if held != value:
        _shown()[key] = _Shown(value, (held,), clock())
    else:
        note(key)


def note(key: str) -> None:
    """Remember what the widget with this key holds; it has been drawn."""
    value, shown = st.session_state.get(key), _shown()
    if key not in shown or shown[key].value != value:
        shown[key] = _Shown(value)


def is_changed(key: str, *, clock: Callable[[], float] = time.monotonic) -> bool:
    """In a callback: whether the widget holds something that a person has put in. A callback gets one answer."""
    return once(f"changed {key}", lambda: _is_changed(key, clock()))


def _is_changed(key: str, now: float) -> bool:
    value, shown = st.session_state.get(key), _shown()
    last = shown.get(key)
    if last is not None and (value == last.value or (value in last.taken_out and now - last.at < ECHO_S)):
        return False
    shown[key] = _Shown(value)
    return True


def _shown() -> dict[str, _Shown]:
    shown: dict[str, _Shown] = st.session_state.setdefault(_SHOWN, {})
    return shown
