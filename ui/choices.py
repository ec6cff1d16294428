"""Choosing one of several: a choice that is stored as soon as it is made, and one of what is managed on a page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui import echoes


def draw_choice(key: str, label: str, options: Mapping[str, str], held: str | None, **shown: Any) -> None:
    """One of `options`, words by value, or none; `held` is what is stored, `shown` what the box takes besides."""
    # What is stored, each time: a default that is no longer offered shows as not set and stays stored until changed.
    echoes.show(key, held if held in options else None)
    st.selectbox(label, list(options), key=key, index=None, format_func=lambda option: options[option], **shown)


def draw_managed(key: str, label: str, titles: Mapping[str, str], **shown: Any) -> str | None:
    """Which of the things a page manages is to be worked on: one of `titles` by its id, or none.

    A browser says the title of what it shows and not its id. Where titles change, and where `manage` chooses, it is
    another field that begins with the same choice: the old title would be nobody's, and a click that was on its way
    would bring an older choice along as if it were a newer one.
    """
    held: str | None = st.session_state.get(_held(key))
    told = hashlib.blake2b(repr(titles).encode(), digest_size=6).hexdigest()
    chosen = st.selectbox(
        label,
        list(titles),
        key=f"{key}_{st.session_state.get(_times(key), 0)}_{told}",
        index=list(titles).index(held) if held is not None and held in titles else None,
        format_func=lambda option: titles.get(option, ""),
        **shown,
    )
    st.session_state[_held(key)] = chosen
    return chosen


def manage(key: str, option: str | None) -> None:
    """Choose from a callback what `draw_managed` shows."""
    st.session_state[_held(key)] = option
    st.session_state[_times(key)] = st.session_state.get(_times(key), 0) + 1


def _held(key: str) -> str:
    return f"{key}_held"


def _times(key: str) -> str:
    return f"{key}_times"
