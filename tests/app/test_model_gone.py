"""A conversation whose own model can no longer be chosen: it opens, names the successor, and changes when one sends."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services, close_services, open_services
from core.catalog.overrides import Override
from core.chat.admission import TurnRequest
from core.chat.store import list_conversations
from core.settings import Settings
from tests.support.chatting import write_registry
from tests.support.live_server import ROOT
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="services")
def _services(tmp_path):
    with ProviderServer() as provider:
        for model in ("swift", "html"):
            provider.behave(model, say("A short answer."))
        close_services()
        registry = write_registry(tmp_path / "models.yaml", provider)
        yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
        close_services()


@pytest.fixture(name="conversation")
def _conversation(services, ada) -> str:
    """A conversation with the model "swift"."""
    live = services.engine.start(TurnRequest(user_id=ada.id, model_id="swift", text="Hello"))
    assert live.buffer.wait_until_ended(timeout_s=20)
    return live.ids.conversation


@pytest.fixture(name="open_chat")
def _open_chat(conversation, ada):
    def open_chat() -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        app.query_params["c"] = conversation
        return sign_in_app(app, ada).run()

    return open_chat


def _notices(app: AppTest) -> list[str]:
    texts = [caption.value.replace("\\", "") for caption in app.caption]
    return [text for text in texts if "Your next message goes to" in text]


def _model_of(services: Services, user_id: str) -> str | None:
    (conversation,) = list_conversations(services.database, user_id=user_id, limit=5)
    return conversation.model_id


def test_nothing_is_said_while_the_model_is_there(open_chat):
    assert _notices(open_chat()) == []


@pytest.mark.parametrize(
    ("override", "words"),
    [(Override(enabled=False), "Swift is switched off."), (Override(access=("bob",)), "Swift is not open to you.")],
)
def test_the_successor_is_named_and_taken_when_one_sends(override, words, open_chat, services, ada):
    services.registry.save_override(
        "swift", Override(**{**override.set_fields(), "fallbacks": ("html",)}), actor_id=None
    )

    chat = open_chat()

    assert not chat.exception
    assert any("**Swift**" in caption.value for caption in chat.caption), "the old answer keeps its name"
    (notice,) = _notices(chat)
    assert words in notice
    assert "**Html**" in notice
    assert "Nothing changes until you send" in notice
    assert _model_of(services, ada.id) == "swift"

    chat.chat_input[0].set_value("Go on").run()
    assert not chat.exception
    assert _model_of(services, ada.id) == "html"
    assert _notices(chat.run()) == []


def test_a_model_that_was_removed_keeps_the_name_it_had(open_chat, services):
    path = services.settings.models
    lines = [line for line in path.read_text().splitlines() if "id: swift" not in line]
    path.write_text("\n".join(lines), encoding="utf-8")
    services.registry.reload()

    (notice,) = _notices(open_chat())

    assert "Swift is no longer offered." in notice
