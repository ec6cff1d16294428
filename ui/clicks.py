"""A double click is one click, where each would begin something that costs money or counts.

The second one comes while the page that the first one changes is still on show: it is told by what stood there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def once_here(name: str, shown: str, work: Callable[[], T]) -> T | None:
    """The result of `work`; None where this tab has done it for the same `name` while the page showed the same.

    Work that raises may be done again.
    """
    key = f"clicked_{name}"
    if st.session_state.get(key) == shown:
        return None
    result = work()
    st.session_state[key] = shown
    return result
