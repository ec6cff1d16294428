"""Signing out ends what one sees, not what was asked: the answer goes on and is there afterwards."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import close_services, open_services
from core.chat.admission import TurnRequest
from core.chat.store import load_conversation, load_messages
from core.settings import Settings
from tests.support.chatting import write_registry
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app
from tests.support.turns import wait_until


@pytest.fixture(name="services")
def _services(tmp_path):
    close_services()
    with ProviderServer() as provider:
        # Far longer than the test: it is stopped, and never waited for.
        provider.behave("steady", say(" ".join(f"word{number}" for number in range(4_000)), tokens_per_second=40))
        registry = write_registry(tmp_path / "models.yaml", provider)
        yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
        close_services()


def test_an_answer_goes_on_after_signing_out_and_is_there_after_signing_in(services):
    ada = add_person(services.database, "ada")
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()
    live = services.engine.start(TurnRequest(user_id=ada.id, model_id="steady", text="Take your time"))

    next(button for button in app.button if button.label == "Sign out").click().run()
    assert not app.chat_input
    there_at_sign_out = live.answer.pieces
    assert wait_until(lambda: live.answer.pieces > there_at_sign_out)
    services.engine.stop(live)
    assert live.buffer.wait_until_ended(timeout_s=20)

    conversation = load_conversation(services.database, conversation_id=live.ids.conversation, user_id=ada.id)
    question, answer = load_messages(services.database, conversation=conversation)
    assert question.content == "Take your time"
    assert answer.status == "stopped"
    assert len(answer.content.split()) >= there_at_sign_out
    again = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada)
    again.query_params["c"] = conversation.id
    again.run()
    assert [message.name for message in again.chat_message] == ["user", "assistant"]
