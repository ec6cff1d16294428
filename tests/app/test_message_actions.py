"""What can be done with a message on the chat page: edit, answer again, step, rate, delete, continue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services
from core.chat.admission import TurnRequest
from core.chat.conversation import Message
from core.chat.feedback import Rating, load_ratings
from core.chat.store import load_conversation, load_messages
from tests.support.chatting import choose_in_app, send_from_component
from tests.support.live_server import ROOT
from tests.support.provider_behaviour import say
from tests.support.signed_in import sign_in_app

ANSWERS = {"swift": "A short answer.", "html": "Another answer."}


@pytest.fixture(name="conversation")
def _conversation(services, ada) -> str:
    """A conversation of one question and one answer."""
    live = services.engine.start(TurnRequest(user_id=ada.id, model_id="swift", text="First question"))
    assert live.buffer.wait_until_ended(timeout_s=20)
    return live.ids.conversation


@pytest.fixture(name="chat")
def _chat(ada, conversation) -> AppTest:
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada)
    app.query_params["c"] = conversation
    return app.run()


def stored(services: Services, user, conversation: str) -> list[Message]:
    """Every message of the conversation that is not deleted."""
    found = load_conversation(services.database, conversation_id=conversation, user_id=user.id)
    return load_messages(services.database, conversation=found)


def act(app: AppTest, message: Message, name: Any) -> AppTest:
    """Press a button of a message's row."""
    return send_from_component(app, "message_actions", event="act", value=name, key=f"actions_{message.id}")


def press(app: AppTest, label: str) -> AppTest:
    """Press a button by its label."""
    return next(button for button in app.button if button.label == label).click().run()


def texts(app: AppTest) -> list[str]:
    """The first text of every message on show."""
    return [message.markdown[0].value.replace("\\", "") for message in app.chat_message if message.markdown]


def ratings(services: Services, user, conversation: str) -> Mapping[str, Rating]:
    return load_ratings(services.database, conversation_id=conversation, user_id=user.id)


def test_an_edited_question_gets_an_answer_of_its_own(chat, services, ada, conversation):
    question, _ = stored(services, ada, conversation)

    act(chat, question, "edit")
    assert chat.text_area[0].value == "First question"
    chat.text_area[0].set_value("Better question")
    press(chat, "Send")

    assert not chat.exception
    assert texts(chat) == ["Better question", "A short answer."]
    act(chat, stored(services, ada, conversation)[2], "previous")
    assert texts(chat) == ["First question", "A short answer."]


def test_cancelling_keeps_what_was_typed(chat, services, ada, conversation):
    question, _ = stored(services, ada, conversation)
    act(chat, question, "edit")
    chat.text_area[0].set_value("Half a thought")

    press(chat, "Cancel")
    assert texts(chat)[0] == "First question"
    act(chat, question, "edit")

    assert chat.text_area[0].value == "Half a thought"
    assert len(stored(services, ada, conversation)) == 2


def test_an_edit_that_is_refused_stays_open_with_its_text(chat, services, ada, conversation):
    question, _ = stored(services, ada, conversation)
    choose_in_app(chat, "keyless")
    act(chat, question, "edit")
    chat.text_area[0].set_value("Better question")

    press(chat, "Send")

    assert any("its provider has no key" in warning.value for warning in chat.warning)
    assert chat.text_area[0].value == "Better question"
    assert len(stored(services, ada, conversation)) == 2


def test_an_answer_is_given_again_by_the_same_or_by_the_chosen_model(chat, services, ada, conversation):
    _, answer = stored(services, ada, conversation)
    choose_in_app(chat, "html")

    act(chat, answer, "again")
    act(chat, stored(services, ada, conversation)[-1], "chosen")

    answers = stored(services, ada, conversation)[1:]
    assert [message.model_label for message in answers] == ["Swift", "Swift", "Html"]
    assert {message.parent_id for message in answers} == {answer.parent_id}
    assert chat.session_state["active_model"] == "html"


def test_a_thumb_is_kept_explained_and_taken_back(chat, services, ada, conversation):
    _, answer = stored(services, ada, conversation)

    act(chat, answer, "bad")
    chat.text_input[0].set_value("Too short")
    press(chat, "Save")

    assert ratings(services, ada, conversation) == {answer.id: Rating(rating=-1, reason="Too short")}
    assert not [field for field in chat.text_input if "wrong" in field.label]
    act(chat, answer, "bad")
    assert ratings(services, ada, conversation) == {}


def test_a_deleted_message_comes_back(chat, services, ada, conversation):
    question, answer = stored(services, ada, conversation)

    act(chat, answer, "delete")
    assert texts(chat) == ["First question"]
    assert "Deleted 1 message" in [caption.value for caption in chat.caption]
    press(chat, "Undo")

    assert texts(chat) == ["First question", "A short answer."]
    act(chat, question, "delete")
    assert texts(chat) == []
    chat.chat_input[0].set_value("Anew").run()
    assert texts(chat) == ["Anew", "A short answer."]


@pytest.mark.parametrize("name", ["", "drop table", "next", 7, None, {"do": "delete"}])
def test_what_no_button_sends_does_nothing(chat, services, ada, conversation, name):
    before = stored(services, ada, conversation)

    act(chat, before[1], name)

    assert not chat.exception
    assert stored(services, ada, conversation) == before


def test_nothing_changes_for_somebody_whose_session_has_ended(chat, services, ada, conversation):
    _, answer = stored(services, ada, conversation)
    chat.session_state["auth_session"] = None

    act(chat, answer, "delete")

    assert len(stored(services, ada, conversation)) == 2


def test_an_answer_that_broke_off_goes_on(chat, services, ada, conversation, provider):
    choose_in_app(chat, "truncated")
    chat.chat_input[0].set_value("Tell me more").run()
    half = stored(services, ada, conversation)[-1]
    assert half.status == "broken"
    provider.behave("fault-truncated", say(" And the rest."))

    press(chat, "Continue")

    assert texts(chat)[-1].endswith("And the rest.")
    assert [message.name for message in chat.chat_message] == ["user", "assistant", "user", "assistant"]
    assert not [button for button in chat.button if button.label == "Continue"]
