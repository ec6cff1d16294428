"""A kept answer on the chat page under AppTest: it says so, costs nothing, and another one can be had."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import close_services, open_services
from core.settings import Settings
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app

REGISTRY = """
providers:
  loop: {{kind: openai, api_base: '{api_base}', api_key: none}}
models:
  - {{id: fast, call: loop/fast, label: Fast one, price: {{input: 1, output: 2}}, cache: {{minutes: 60}}}}
"""


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("fast", say("The first answer."), say("The second answer."))
        yield provider


@pytest.fixture(name="chat")
def _chat(tmp_path, provider) -> AppTest:
    close_services()
    registry = tmp_path / "models.yaml"
    registry.write_text(REGISTRY.format(api_base=provider.api_base), encoding="utf-8")
    services = open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    yield sign_in_app(app, add_person(services.database, "ada")).run()
    close_services()


def ask_in_new_chat(app):
    next(button for button in app.button if button.label == "New chat").click().run()
    app.chat_input[0].set_value("Hello").run()
    assert not app.exception
    return footer(app)


def footer(app):
    texts = [caption.value.replace("\\", "") for caption in app.main.caption]
    return [text for text in texts if text.startswith("**")][-1]


def again(app):
    return [button for button in app.main.button if button.label == "Try again"]


def test_a_kept_answer_says_so_and_another_one_can_be_had(chat, provider):
    assert "cached" not in ask_in_new_chat(chat)
    assert again(chat) == []

    assert ask_in_new_chat(chat).endswith("out · cached, $0 · $0.000007 saved")
    assert len(provider.requests) == 1

    again(chat)[0].click().run()
    assert not chat.exception
    assert "cached" not in footer(chat)
    assert "The second answer." in [part.value for part in chat.main.markdown]
    assert again(chat) == []
