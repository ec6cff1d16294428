"""A model that fails, on the chat page under AppTest: who answered for it, the tries, and whom to ask instead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import close_services, open_services
from core.chat.admission import TurnRequest
from core.chat.preflight import CONFIRMS_ABOVE_TOKENS
from core.chat.store import list_conversations, set_fallback
from core.settings import Settings
from tests.support.live_server import ROOT
from tests.support.provider_behaviour import NOT_FOUND, RATE_LIMITED, say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app

REGISTRY = """
providers:
  loop: {{kind: openai, api_base: '{api_base}', api_key: none}}
models:
  - {{id: fast, call: loop/fast, label: Fast one, price: {{input: 1, output: 2}}, fallbacks: [steady]}}
  - {{id: steady, call: loop/steady, label: Steady, price: {{input: 1, output: 2}}}}
  - {{id: keyless, call: anthropic/claude-sonnet-4-5, label: Keyless}}
"""


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("fast", say("A fast answer."))
        provider.behave("steady", say("A steady answer."))
        yield provider


@pytest.fixture(name="services")
def _services(tmp_path, provider):
    close_services()
    registry = tmp_path / "models.yaml"
    registry.write_text(REGISTRY.format(api_base=provider.api_base), encoding="utf-8")
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    close_services()


@pytest.fixture(name="chat")
def _chat(services, ada) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    return sign_in_app(app, ada).run()


def send(app, text):
    app.chat_input[0].set_value(text).run()
    assert not app.exception
    return app


def footers(app):
    texts = [caption.value.replace("\\", "") for caption in app.main.caption]
    return [text for text in texts if text.startswith("**")]


def ways_on(app):
    return [button.label for button in app.main.button if (button.key or "").startswith(("again", "instead"))]


def keep(services, ada, fallback):
    (conversation,) = list_conversations(services.database, user_id=ada.id, limit=5)
    set_fallback(services.database, conversation_id=conversation.id, user_id=ada.id, fallback=fallback)


def test_a_straight_answer_has_no_receipt(chat):
    send(chat, "Hello")

    assert [footer.split(" · ")[0] for footer in footers(chat)] == ["**Fast one**"]
    assert chat.main.expander.len == 0


def test_a_fallback_says_for_whom_it_answered_and_shows_the_tries(chat, provider):
    provider.behave("fast", NOT_FOUND)

    for app in (send(chat, "Hello"), chat.run()):
        (footer,) = footers(app)
        assert footer.startswith("**Steady** answered for Fast one (unknown model, 1 try, +")
        (tries,) = app.main.expander
        assert tries.label == "2 tries"
        first, second = tries.markdown[0].value.replace("\\", "").splitlines()
        assert "**Fast one** · unknown model · " in first
        assert first.endswith("The provider does not know Fast one.")
        assert "**Steady** · answered · " in second


def test_who_wants_to_be_asked_is_offered_the_fallback_and_keeps_the_chosen_model(chat, provider, services, ada):
    send(chat, "Hello")
    keep(services, ada, "ask")
    provider.behave("fast", NOT_FOUND)

    send(chat, "Again")
    assert ways_on(chat) == ["Try again", "Ask Steady instead"]
    next(button for button in chat.main.button if button.label == "Ask Steady instead").click().run()

    assert not chat.exception
    assert [footer.split(" · ")[0] for footer in footers(chat)] == ["**Fast one**", "**Steady**"]
    assert ways_on(chat) == []
    assert chat.session_state["active_model"] == "fast"


@pytest.mark.parametrize("words", [31_000, 101_000])
def test_a_long_history_is_sent_to_another_model_knowingly_and_a_very_long_one_after_a_question(
    chat, provider, services, ada, words
):
    send(chat, "word " * words)
    keep(services, ada, "ask")
    provider.behave("fast", NOT_FOUND)
    send(chat, "Again")

    said = [element.value.replace("\\", "") for element in [*chat.main.caption, *chat.main.markdown]]
    assert any(f"From Fast one to Steady: the next answer costs about ${words / 1e6:.2f}" in text for text in said)
    way = "Ask Steady" if words > CONFIRMS_ABOVE_TOKENS else "Ask Steady instead"
    assert ways_on(chat) == ["Try again", way]
    next(button for button in chat.main.button if button.label == way).click().run()
    assert footers(chat)[-1].startswith("**Steady**")


def test_who_wants_no_other_model_is_offered_none(chat, provider, services, ada):
    send(chat, "Hello")
    keep(services, ada, "never")
    provider.behave("fast", NOT_FOUND)

    send(chat, "Again")

    assert ways_on(chat) == ["Try again"]


def test_who_stops_before_the_first_word_is_offered_another_model(chat, provider, services, ada):
    send(chat, "Hello")
    (conversation,) = list_conversations(services.database, user_id=ada.id, limit=5)
    provider.behave("fast", replace(RATE_LIMITED, retry_after="50"))
    request = TurnRequest(user_id=ada.id, model_id="fast", text="Again", conversation_id=conversation.id)
    live = services.engine.start(request)
    assert live.buffer.read(0, timeout_s=20).events
    services.engine.stop(live)
    assert live.buffer.wait_until_ended(timeout_s=20)

    chat.run()

    assert ways_on(chat) == ["Try again", "Ask Steady instead"]


def test_when_no_model_answers_all_are_named_and_no_failed_one_is_offered(chat, provider):
    provider.behave("fast", NOT_FOUND)
    provider.behave("steady", NOT_FOUND)

    send(chat, "Hello")

    (warning,) = chat.main.warning
    assert warning.value.replace("\\", "").startswith("No model could answer. The provider does not know Fast one.")
    assert ways_on(chat) == ["Try again"]
    assert [expander.label for expander in chat.main.expander] == ["Technical details", "2 tries"]
