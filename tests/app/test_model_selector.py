"""The model selector and its card under AppTest: what is sent, what is refused, what is kept."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.preferences import load_preferences, save_preference
from core.bootstrap import close_services, open_services
from core.settings import Settings
from tests.support.chatting import choose_in_app
from tests.support.live_server import ROOT
from tests.support.signed_in import sign_in_app

REGISTRY = """
providers:
  loop: {kind: openai, api_base: 'http://127.0.0.1:9/v1', api_key: none}
models:
  - {id: dear, call: loop/dear, label: Dear, price: {input: 3, output: 15}, use_cases: [coding], note: Thinks twice}
  - {id: plain, call: loop/plain, label: "*Plain* :red[x]", price: {input: 1, output: 2}}
  - {id: keyless, call: anthropic/claude-sonnet-4-5, label: Keyless, capabilities: [vision, tools]}
"""


@pytest.fixture(name="services")
def _services(tmp_path):
    close_services()
    registry = tmp_path / "models.yaml"
    registry.write_text(REGISTRY, encoding="utf-8")
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    close_services()


@pytest.fixture(name="page")
def _page(services, ada) -> AppTest:
    return sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()


def _sent(page: AppTest, name: str) -> dict:
    component = next(part for part in page.get("bidi_component") if part.proto.component_name == name)
    return json.loads(json.loads(component.proto.json))


def _chosen(page: AppTest) -> str:
    return _sent(page, "model_selector")["models"][_sent(page, "model_facts")["chosen"]][0]


def _card(page: AppTest) -> str:
    return "\n".join(caption.value.replace("\\", "") for caption in page.sidebar.caption)


def test_the_list_is_the_same_text_from_run_to_run(page):
    before = next(part for part in page.get("bidi_component") if part.proto.component_name == "model_selector")
    choose_in_app(page, "dear")
    after = next(part for part in page.get("bidi_component") if part.proto.component_name == "model_selector")

    assert before.proto.SerializeToString(deterministic=True) == after.proto.SerializeToString(deterministic=True)
    assert _chosen(page) == "dear"


def test_the_card_says_what_is_known_of_the_chosen_model(page):
    choose_in_app(page, "dear")

    assert "$3.00 in, $15.00 out per million" in _card(page)
    assert "Thinks twice" in _card(page)
    choose_in_app(page, "keyless")

    assert "no key: set ANTHROPIC_API_KEY" in _card(page)
    assert ":material/visibility: vision" in _card(page)


@pytest.mark.parametrize("answer", ["gone", "", None, 7, ["dear"], {"id": "dear"}])
def test_an_answer_that_is_no_model_on_offer_changes_nothing(page, answer):
    choose_in_app(page, "dear")
    choose_in_app(page, answer)

    assert not page.exception
    assert page.session_state["active_model"] == "dear"


def test_a_favourite_is_kept_and_taken_back(page, services, ada):
    choose_in_app(page, "plain")
    page.toggle(key="favourite_plain").set_value(True).run()

    assert load_preferences(services.database, ada.id)["favourites"] == ["plain"]
    assert _sent(page, "model_facts")["favourites"] == [1]
    page.toggle(key="favourite_plain").set_value(False).run()

    assert load_preferences(services.database, ada.id)["favourites"] == []


def test_a_favourite_that_is_gone_from_the_registry_stays_a_favourite(page, services, ada):
    save_preference(services.database, user_id=ada.id, name="favourites", value=["gone", "dear"])
    page.run()

    assert _sent(page, "model_facts")["favourites"] == [0]
    choose_in_app(page, "plain")
    page.toggle(key="favourite_plain").set_value(True).run()
    assert load_preferences(services.database, ada.id)["favourites"] == ["gone", "dear", "plain"]


def test_a_hidden_model_is_not_listed_unless_it_is_the_chosen_one(page, services, ada):
    choose_in_app(page, "plain")
    save_preference(services.database, user_id=ada.id, name="hidden_models", value=["plain", "keyless"])
    page.run()

    assert [row[0] for row in _sent(page, "model_selector")["models"]] == ["dear", "plain"]
    assert _chosen(page) == "plain"


def test_a_new_chat_starts_with_ones_own_default(services, ada):
    save_preference(services.database, user_id=ada.id, name="default_model", value="dear")
    page = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()

    assert _chosen(page) == "dear"


def test_markup_in_a_label_stays_text(page):
    choose_in_app(page, "plain")

    assert not page.exception
    assert _sent(page, "model_selector")["models"][1][1] == "*Plain* :red[x]"


def test_a_model_left_out_of_the_file_is_not_offered_any_more(page, services, tmp_path):
    choose_in_app(page, "dear")
    registry = tmp_path / "models.yaml"
    registry.write_text(
        REGISTRY.replace("id: dear, call: loop/dear, label: Dear", "id: other, call: loop/x, label: Other"),
        encoding="utf-8",
    )
    services.registry.reload()
    page.run()

    assert _chosen(page) == "other"
    assert [row[0] for row in _sent(page, "model_selector")["models"]] == ["other", "plain", "keyless"]


def test_compare_opens_the_models_page_with_the_chosen_model_ticked_first(page):
    choose_in_app(page, "dear")
    page.button(key="compare_model").click().run()

    assert not page.exception
    assert page.title[0].value == "Models"
    # Which others are beside it depends on what has been probed by now.
    assert page.session_state["models_ticked"][0] == "dear"


def _hurried() -> None:
    from types import SimpleNamespace  # noqa: PLC0415 - the body is a page of its own

    import streamlit as st  # noqa: PLC0415
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx  # noqa: PLC0415

    from ui import state  # noqa: PLC0415
    from ui.model_selector import _choose  # noqa: PLC0415

    def choose() -> None:
        st.session_state[state.MODEL] = SimpleNamespace(chosen="dear")
        # Somebody opens the parameters before the choice has been taken in.
        get_script_run_ctx().script_requests.request_rerun(RerunData())
        _choose(offered=["dear"], on_change=lambda: None)

    st.button("Choose", on_click=choose)
    st.text(state.active_model())


def test_a_choice_is_not_lost_when_something_else_is_clicked_at_once():
    page = AppTest.from_function(_hurried).run()
    page.button[0].click().run()
    assert page.text[0].value == "dear"
