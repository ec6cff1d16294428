"""A callback comes to its end, whatever else is clicked meanwhile."""

from __future__ import annotations

import tomllib
from functools import partial

import pytest
from streamlit.runtime.scriptrunner import RerunData, RerunException
from streamlit.testing.v1 import AppTest

from tests.support.live_server import ROOT
from ui.unbroken import once, unbroken


class Clicks:
    """Interrupts the first `count` times it is asked."""

    def __init__(self, count: int) -> None:
        self.left = count

    def look(self) -> None:
        if self.left:
            self.left -= 1
            raise RerunException(RerunData())


def test_without_other_clicks_it_is_the_callback_itself():
    assert unbroken(divmod)(7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        unbroken(divmod)(7, 0)


@pytest.mark.parametrize("clicks", [1, 3])
def test_it_starts_again_and_does_once_what_is_done_once(clicks):
    sent, opened, other = [], [], Clicks(clicks)

    @unbroken
    def send(text: str) -> None:
        once("send", partial(sent.append, text))
        other.look()
        opened.append(text)

    with pytest.raises(RerunException):
        send("hello")
    assert (sent, opened) == (["hello"], ["hello"])


def test_what_was_interrupted_itself_is_done_again():
    other, sent = Clicks(1), []

    def start() -> None:
        other.look()
        sent.append("hello")

    with pytest.raises(RerunException):
        unbroken(partial(once, "send", start))()
    assert sent == ["hello"]


def test_the_next_callback_does_its_own_things():
    sent = []

    @unbroken
    def send(text: str) -> None:
        once("send", partial(sent.append, text))

    send("one")
    send("two")
    assert sent == ["one", "two"]


def test_one_within_another_starts_again_with_it():
    other, inner_runs, outer_runs = Clicks(1), [], []

    @unbroken
    def inner() -> None:
        inner_runs.append(1)
        other.look()

    @unbroken
    def outer() -> None:
        outer_runs.append(1)
        inner()

    with pytest.raises(RerunException):
        outer()
    assert (len(outer_runs), len(inner_runs)) == (2, 2)


def test_outside_of_a_callback_everything_is_done_each_time():
    sent = []
    once("send", partial(sent.append, 1))
    once("send", partial(sent.append, 1))
    assert sent == [1, 1]


def _page() -> None:
    import streamlit as st  # noqa: PLC0415 - the body is a page of its own
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx  # noqa: PLC0415

    from ui.unbroken import unbroken  # noqa: PLC0415

    def delete() -> None:
        # Another click comes while this one is dealt with; once, or it would be dealt with for ever.
        if not st.session_state["clicked"]:
            st.session_state["clicked"] = True
            get_script_run_ctx().script_requests.request_rerun(RerunData())
        st.session_state["deleted"] = True
        st.session_state["undo"] = True

    st.session_state.setdefault("clicked", False)
    st.button("Delete", on_click=unbroken(delete))
    st.text(str(sorted(key for key in ("deleted", "undo") if key in st.session_state)))


def test_streamlit_interrupts_it_and_it_comes_to_its_end():
    app = AppTest.from_function(_page).run()
    app.button[0].click().run()
    assert not app.exception
    assert app.text[0].value == "['deleted', 'undo']"


def _page_that_counts() -> None:
    import streamlit as st  # noqa: PLC0415 - the body is a page of its own
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx  # noqa: PLC0415

    from ui.unbroken import unbroken  # noqa: PLC0415

    def add() -> None:
        if st.session_state["clicks"] > 0:
            st.session_state["clicks"] -= 1
            get_script_run_ctx().script_requests.request_rerun(RerunData())
        st.session_state["added"] += 1
        st.session_state["end"] = True

    st.session_state.setdefault("clicks", 2)
    st.session_state.setdefault("added", 0)
    st.button("Add", on_click=unbroken(add))
    st.text(f"{st.session_state['added']} {'end' in st.session_state}")


def test_a_click_that_comes_meanwhile_does_not_have_it_start_again():
    app = AppTest.from_function(_page_that_counts).run()
    app.button[0].click().run()

    assert not app.exception
    assert app.text[0].value == "1 True"


def _page_of_a_lost_connection() -> None:
    import streamlit as st  # noqa: PLC0415 - the body is a page of its own
    from streamlit.runtime.scriptrunner import get_script_run_ctx  # noqa: PLC0415

    from ui.unbroken import unbroken  # noqa: PLC0415

    def send() -> None:
        get_script_run_ctx().script_requests.request_stop()
        st.session_state["opened"] = True

    st.button("Send", on_click=unbroken(send))


def test_a_connection_that_goes_meanwhile_does_not_end_it():
    app = AppTest.from_function(_page_of_a_lost_connection).run()
    app.button[0].click().run()

    assert app.session_state["opened"]


def test_one_click_waits_for_the_other():
    """Else Streamlit begins a second script of the same tab at once, beside the callback of the first."""
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))

    assert settings["runner"]["fastReruns"] is False
