"""A double click does once what costs money or counts."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

PAGE = """
from contextlib import suppress
import streamlit as st
from ui.clicks import once_here

done = st.session_state.setdefault("done", [])

def ask(shown):
    if st.session_state.pop("fails", False):
        raise ValueError
    done.append(shown)

def click(shown):
    with suppress(ValueError):
        once_here("ask", shown, lambda: ask(shown))

st.button("Ask", on_click=click, args=(st.session_state.get("shown", "two columns"),))
"""


def test_the_same_is_done_once_and_again_when_the_page_shows_something_else():
    app = AppTest.from_string(PAGE).run()
    app.button[0].click().run()
    app.button[0].click().run()
    assert app.session_state["done"] == ["two columns"]

    app.session_state["shown"] = "three columns"
    app.run()
    app.button[0].click().run()
    assert app.session_state["done"] == ["two columns", "three columns"]


def test_what_failed_can_be_done_again():
    app = AppTest.from_string(PAGE).run()
    app.session_state["fails"] = True
    app.button[0].click().run()
    assert app.session_state["done"] == []
    app.button[0].click().run()
    assert app.session_state["done"] == ["two columns"]
