"""What a person put into a widget, told from what the browser says again."""

from __future__ import annotations

import pytest
import streamlit as st

from ui import echoes


@pytest.fixture(name="session")
def _session():
    """The session that Streamlit has where no page runs, emptied."""
    st.session_state.clear()
    yield st.session_state
    st.session_state.clear()


def at(seconds: float):
    return lambda: seconds


def test_what_the_widget_was_drawn_with_is_no_change(session):
    echoes.show("top_p", 0.5)

    assert not echoes.is_changed("top_p")


def test_another_value_is_one(session):
    echoes.show("top_p", 0.5)
    session["top_p"] = 0.7

    assert echoes.is_changed("top_p")


def test_a_widget_that_was_never_drawn_is_believed(session):
    session["top_p"] = 0.7

    assert echoes.is_changed("top_p")


@pytest.mark.parametrize(("later_s", "believed"), [(0.5 * echoes.ECHO_S, False), (echoes.ECHO_S, True)])
def test_what_was_taken_out_of_it_is_no_change_for_a_moment(session, later_s, believed):
    session["top_p"] = 0.5
    echoes.show("top_p", None, clock=at(100))
    echoes.show("top_p", None, clock=at(100.1))
    session["top_p"] = 0.5

    assert echoes.is_changed("top_p", clock=at(100 + later_s)) is believed


def test_a_second_click_before_the_page_was_drawn_counts(session):
    echoes.show("tools", value=False)
    session["tools"] = True
    assert echoes.is_changed("tools")
    session["tools"] = False

    assert echoes.is_changed("tools")


def test_a_choice_of_ones_own_is_taken_back_at_once(session):
    session["tools"] = True
    assert echoes.is_changed("tools", clock=at(100))
    echoes.show("tools", value=True, clock=at(100.1))
    session["tools"] = False

    assert echoes.is_changed("tools", clock=at(100.2))


def test_what_a_widget_holds_by_itself_can_be_noted(session):
    session["preset"] = "warm"
    echoes.note("preset")
    assert not echoes.is_changed("preset")
    session["preset"] = None
    echoes.note("preset")
    session["preset"] = "warm"

    assert echoes.is_changed("preset")
