"""What the address of the page says."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


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
