"""The line above the composer under AppTest: what is handed to the browser, and switching by a click on a price."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.preferences import save_preference
from core.bootstrap import close_services, open_services
from core.settings import Settings
from tests.support.chatting import choose_in_app, send_from_component, write_registry
from tests.support.live_server import ROOT
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app

MORE = (
    "\n  - {id: free, call: loop/swift, label: Free one, price: {input: 0, output: 0}, context_tokens: 9000}"
    "\n  - {id: mystery, call: loop/swift, label: Mystery}"
    "\n  - {id: small, call: loop/swift, label: Small, price: {input: 1, output: 2}, context_tokens: 2000}"
    "\n  - {id: dear, call: loop/swift, label: Dear, price: {input: 9000, output: 9}}\n"
)


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        yield provider


@pytest.fixture(name="services")
def _services(tmp_path, provider):
    close_services()
    registry = write_registry(tmp_path / "models.yaml", provider)
    registry.write_text(registry.read_text() + MORE)
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off", probes="off"))
    close_services()


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


def labels(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in app.button]


def said(app: AppTest) -> str:
    return "\n".join(element.value.replace("\\", "") for element in (*app.caption, *app.warning))


@pytest.fixture(name="long")
def _long(chat) -> AppTest:
    """A conversation of 1,500 words, with a model chosen that reads 2,000 tokens, and a message that does not fit."""
    chat.chat_input[0].set_value("word " * 1500).run()
    choose_in_app(chat, "small")
    return chat.chat_input[0].set_value("again " * 800).run()


def test_what_is_too_long_is_refused_with_its_ways_on(long) -> None:
    assert "Small takes 2,000" in said(long)
    assert {"Use Free one (9k)", "Leave out the oldest"} <= set(labels(long))
    assert "Summarise the first 2 (free)" in labels(long)


def test_a_larger_model_is_one_click_away(long) -> None:
    long.button(key="use_larger").click().run()

    assert handed(long)["models"][0]["id"] == "free"
    assert not any("Too long for" in caption.value for caption in long.caption)


def test_leaving_out_can_be_taken_back(long) -> None:
    long.button(key="leave_out").click().run()
    assert "goes without the oldest ones" in said(long)
    assert handed(long)["models"][0]["used"] < 1500

    long.button(key="send_everything").click().run()

    assert "Too long for Small" in said(long)


def test_a_switch_that_changes_the_cost_says_so_and_a_small_one_is_quiet(chat) -> None:
    chat.chat_input[0].set_value("hello").run()
    choose_in_app(chat, "steady")
    assert "the next answer costs" not in said(chat)

    choose_in_app(chat, "dear")

    assert "From Swift to Dear: the next answer costs about $" in said(chat)
    assert "confirm_switch" not in [button.key for button in chat.button]


def test_the_persons_limit_goes_out_as_tokens(chat, services, ada, provider) -> None:
    save_preference(services.database, user_id=ada.id, name="answer_cap_usd", value="0.001")
    chat.run()
    assert handed(chat)["models"][0]["most"] == 0.001
    chat.chat_input[0].set_value("hello").run()

    assert 400 < provider.requests[-1].body["max_tokens"] < 500


def test_a_limit_below_what_reading_costs_is_refused(chat, services, ada) -> None:
    save_preference(services.database, user_id=ada.id, name="answer_cap_usd", value="0.0001")
    chat.run()
    chat.chat_input[0].set_value("word " * 500).run()

    assert "your limit for an answer is $0.0001" in said(chat)
    assert list(services.database.fetch_all("select id from turns")) == []
