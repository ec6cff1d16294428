"""Tools on the chat page: steps above the answer, the same after another run, and the reasoning's line."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import close_services, open_services
from core.settings import Settings
from tests.support.chatting import choose_in_app, write_registry
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import call, say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app

CALLER = "\n  - {id: caller, call: loop/caller, label: Caller, price: {input: 1, output: 2}, capabilities: [tools]}\n"
ASKED = call(("calculator", '{"expression": "6 * 7"}'), tokens=("Let", " me", " see."), reasoning=("Hm.",))


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("caller", ASKED, say("It is 42."))
        yield provider


@pytest.fixture(name="chat")
def _chat(tmp_path, provider):
    close_services()
    registry = write_registry(tmp_path / "models.yaml", provider)
    registry.write_text(registry.read_text() + CALLER)
    services = open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    ada = add_person(services.database, "ada")
    yield sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()
    close_services()


@pytest.mark.parametrize("temporary", [False, True])
def test_a_step_is_shown_above_the_answer_and_stays(chat, provider, temporary):
    if temporary:
        chat = next(button for button in chat.button if button.key == "begin_temporary").click().run()
    choose_in_app(chat, "caller")
    chat = chat.chat_input[0].set_value("6 times 7?").run()
    first = _shown(chat)
    again = _shown(chat.run())

    assert not chat.exception
    assert first == again
    labels, texts, codes = again
    assert labels[0].startswith("Thought for 0.")
    assert labels[1].startswith("Calculator: 6 ")
    assert {"6 * 7", "42"} <= set(codes)
    assert texts.index("Let me see.") < texts.index("It is 42.")
    assert len(provider.requests) == 2


def _shown(page: AppTest) -> tuple[list[str], list[str], list[str]]:
    return (
        [status.label for status in page.status],
        [element.value for element in page.markdown],
        [element.value for element in page.code],
    )
