"""The line above the composer under AppTest: what is handed to the browser, and switching by a click on a price."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.preferences import save_preference
from core.bootstrap import close_services, open_services
from core.settings import Settings
from tests.support.chatting import send_from_component, write_registry
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app

MORE = (
    "\n  - {id: free, call: loop/swift, label: Free one, price: {input: 0, output: 0}, context_tokens: 9000}"
    "\n  - {id: mystery, call: loop/swift, label: Mystery}\n"
)


@pytest.fixture(name="services")
def _services(tmp_path):
    close_services()
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        registry = write_registry(tmp_path / "models.yaml", provider)
        registry.write_text(registry.read_text() + MORE)
        yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off", probes="off"))
        close_services()


@pytest.fixture(name="ada")
def _ada(services):
    return add_person(services.database, "ada")


@pytest.fixture(name="chat")
def _chat(services, ada) -> AppTest:
    save_preference(services.database, user_id=ada.id, name="favourites", value=["mystery", "steady"])
    save_preference(services.database, user_id=ada.id, name="default_model", value="swift")
    return sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()


def handed(app: AppTest) -> dict[str, Any]:
    [gauge] = [part for part in app.get("bidi_component") if part.proto.component_name == "gauge"]
    return json.loads(json.loads(gauge.proto.json)) if gauge.proto.json else {}


def test_the_chosen_model_comes_first_then_favourites_and_the_cheapest(chat) -> None:
    models = handed(chat)["models"]

    assert [model["id"] for model in models] == ["swift", "mystery", "steady", "free", "html"]
    assert [model["word"] for model in models] == ["", "unpriced", "", "free", ""]
    assert models[0]["window"] == 100_000


def test_the_history_is_priced_and_counted_after_an_answer(chat) -> None:
    before = handed(chat)["models"][0]
    chat.chat_input[0].set_value("word " * 500).run()

    after = handed(chat)["models"][0]

    assert before["used"] == 0
    assert 500 <= after["used"] < 600
    [[above, *ends, per_token]] = after["steps"]
    assert (above, per_token) == (0, pytest.approx(1e-6))
    assert ends[0] == pytest.approx((after["used"] + 2 * 215) / 1e6)


def test_a_click_on_a_price_switches_the_model(chat) -> None:
    chat = send_from_component(chat, "gauge", event="chosen", value="steady")

    assert handed(chat)["models"][0]["id"] == "steady"
    assert not chat.exception


def test_what_is_not_offered_is_not_switched_to(chat) -> None:
    chat = send_from_component(chat, "gauge", event="chosen", value="nobody's")

    assert handed(chat)["models"][0]["id"] == "swift"


def test_the_ledger_keeps_what_the_person_mostly_does(chat, services, ada) -> None:
    save_preference(services.database, user_id=ada.id, name="use_case", value="coding")
    chat.run()
    chat.chat_input[0].set_value("hello").run()

    assert services.database.fetch_all("select use_case from attempts") == [{"use_case": "coding"}]
