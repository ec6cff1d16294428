"""A choice that is stored as soon as it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui import echoes


def draw_choice(key: str, label: str, options: Mapping[str, str], held: str | None, **shown: Any) -> None:
    """One of `options`, words by value, or none; `held` is what is stored, `shown` what the box takes besides."""
    # What is stored, each time: a default that is no longer offered shows as not set and stays stored until changed.
    echoes.show(key, held if held in options else None)
    st.selectbox(label, list(options), key=key, index=None, format_func=lambda option: options[option], **shown)
