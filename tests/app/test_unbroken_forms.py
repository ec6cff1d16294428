"""A click that comes while a form is dealt with waits: the form is dealt with to its end, and once."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.support.people import add_person
from tests.support.signed_in import sign_in_app


def _page() -> None:
    import streamlit as st  # noqa: PLC0415 - the body is a page of its own
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx  # noqa: PLC0415

    from ui.accounts_view import act, draw_problem  # noqa: PLC0415
    from ui.runtime import get_services  # noqa: PLC0415
    from ui.unbroken import once  # noqa: PLC0415

    def work(user) -> str:
        def write() -> None:
            st.session_state["written"].append(user.username)
            # Another click arrives: Streamlit interrupts where the session state is used next.
            get_script_run_ctx().script_requests.request_rerun(RerunData())

        once("write", write)
        st.session_state["field"] = ""
        return "Done."

    st.session_state.setdefault("written", [])
    st.session_state.setdefault("field", "typed")
    st.button("Save", on_click=act, args=(get_services(), "place", work))
    draw_problem("place")
    st.text(f"{st.session_state['written']} {st.session_state['field']!r}")


def test_a_form_is_dealt_with_to_its_end_and_once(services):
    ada = add_person(services.database, "ada")
    app = sign_in_app(AppTest.from_function(_page, default_timeout=20), ada).run()

    app.button[0].click().run()

    assert not app.exception
    assert app.text[0].value == "['ada'] ''"
