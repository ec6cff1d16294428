"""What the address of the page says."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from ui.echoes import ECHO_S


def _page() -> None:
    import streamlit as st  # noqa: PLC0415 - the body is a page of its own
    from streamlit.runtime.scriptrunner import get_script_run_ctx  # noqa: PLC0415

    from ui import address  # noqa: PLC0415

    context = get_script_run_ctx()
    sent: list[str] = []
    send = context._enqueue

    def note(message) -> None:
        if message.WhichOneof("type") == "page_info_changed":
            sent.append(message.page_info_changed.query_string)
        send(message)

    context._enqueue = note
    address.put("c", "one")
    address.put("c", "one")
    address.put("many", "a", "b")
    address.put("many", "a", "b")
    address.put("c")
    address.put("c")
    st.text(" ".join(sent))


def test_what_the_address_says_already_is_not_sent_again():
    app = AppTest.from_function(_page).run()

    assert not app.exception
    assert app.text[0].value == "c=one c=one&many=a&many=b many=a&many=b"
    assert app.query_params == {"many": ["a", "b"]}


def _page_of_conversations() -> None:
    import streamlit as st  # noqa: PLC0415 - the body is a page of its own

    from ui import address  # noqa: PLC0415

    st.session_state.setdefault("now", 100.0)
    clock = lambda: st.session_state["now"]  # noqa: E731 - as short as it is
    for name in ("one", "two"):
        st.button(name, on_click=address.put, args=("c", name), kwargs={"clock": clock})
    st.button("new", on_click=address.put, args=("c",), kwargs={"clock": clock})
    st.text(" ".join(address.values("c", clock=clock)) or "nothing")


def opened(app: AppTest, *, browser: str | None, later_s: float = 0.0, click: str | None = None) -> str:
    """What is shown after a run in which the browser still shows this, perhaps with a click."""
    app.session_state["now"] += later_s
    app.query_params.pop("c", None)
    if browser is not None:
        app.query_params["c"] = browser
    if click is not None:
        next(button for button in app.button if button.label == click).click()
    app.run()
    assert not app.exception
    return app.text[0].value


def test_what_was_left_a_moment_ago_is_not_gone_back_to():
    app = AppTest.from_function(_page_of_conversations).run()
    assert opened(app, browser="one") == "one"
    assert opened(app, browser="one", click="new") == "nothing"

    assert opened(app, browser="one", later_s=0.3) == "nothing"
    assert app.query_params == {}
    assert opened(app, browser="three", later_s=0.3) == "three"
    assert opened(app, browser="one", later_s=ECHO_S) == "one"


def test_who_clicks_back_at_once_is_there():
    app = AppTest.from_function(_page_of_conversations).run()
    assert opened(app, browser="one") == "one"
    assert opened(app, browser="one", click="two") == "two"
    assert opened(app, browser="one", click="new", later_s=0.1) == "nothing"
    assert opened(app, browser="two", later_s=0.1) == "nothing"
    assert opened(app, browser="one", click="one", later_s=0.1) == "one"
    assert opened(app, browser=None, later_s=0.1) == "one"
