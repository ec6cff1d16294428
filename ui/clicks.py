"""A double click is one click, where each would begin something that costs money or counts.

The second one comes while the page that the first one changes is still on show: it is told by what stood there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from ui.unbroken import once

T = TypeVar("T")


def once_here(name: str, shown: str, work: Callable[[], T]) -> T | None:
    """The result of `work`; None where this tab has done it for the same `name` while the page showed the same.

    Work that raises may be done again.
    """
    key = f"clicked_{name}"
    if st.session_state.get(key) == shown:
        return None
    result, before = once(f"here {name}", lambda: (work(), times(name)))
    st.session_state[_times(name)] = before + 1
    st.session_state[key] = shown
    return result


def do_earlier(key: str, work: Callable[[], object]) -> None:
    """In the callback of the composer: do what the button with this key is for, if that was clicked and not done yet.

    On a line that stalls both arrive together, and Streamlit calls what came last first.
    """
    if st.session_state.get(key):
        st.session_state[_done_earlier(key)] = True
        work()


def do_unless_earlier(key: str, work: Callable[[], object]) -> None:
    """In the callback of that button: do it, unless `do_earlier` has."""
    if not st.session_state.pop(_done_earlier(key), False):
        work()


def _done_earlier(key: str) -> str:
    return f"done_earlier_{key}"


def times(name: str) -> int:
    """How often this tab has done it: what stands on a page that may look the same before and after.

    It belongs into the button's key, too: a click on the button of before is then told from one on that of after.
    """
    return int(st.session_state.get(_times(name), 0))


def _times(name: str) -> str:
    return f"times_{name}"
