"""Temporary chats on the page: marked, answered, and gone when they are left."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.chat.store import list_conversations
from tests.support.chatting import choose_in_app, send_from_component
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app

ANSWERS = {"swift": "A short answer."}


@pytest.fixture(name="chat")
def _chat(services, ada) -> AppTest:
    page = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()
    return _press(page, "begin_temporary")


def _press(page: AppTest, key: str) -> AppTest:
    return next(button for button in page.button if button.key == key).click().run()


def _send(page: AppTest, text: str) -> AppTest:
    return page.chat_input[0].set_value(text).run()


def _texts(page: AppTest) -> str:
    return "\n".join(element.value.replace("\\", "") for element in page.markdown)


def _stored(services) -> str:
    return str([services.database.fetch_all(f"select * from {table}") for table in ("messages", "turns", "attempts")])  # noqa: S608


def test_it_says_what_it_is_and_is_answered_without_being_stored(chat, services, ada):
    assert "Temporary chat." in _texts(chat)

    _send(chat, "A xylophone")
    _send(chat, "And again")

    assert not chat.exception
    assert [message.name for message in chat.chat_message] == ["user", "assistant"] * 2
    assert "Temporary chat." in _texts(chat)
    assert any(
        "**Swift** · " in caption.value and "$0.0" in caption.value.replace("\\", "") for caption in chat.caption
    )
    assert list_conversations(services.database, user_id=ada.id, limit=5) == []
    assert "xylophone" not in _stored(services)
    assert "c" not in chat.query_params


@pytest.mark.parametrize("key", ["leave_temporary", "new_chat"])
def test_it_is_gone_when_it_is_left(chat, key):
    _send(chat, "A xylophone")

    _press(chat, key)

    assert not chat.chat_message
    assert "Temporary chat." not in _texts(chat)
    assert not chat.session_state["temporary_chat"]


def test_it_outlasts_a_look_at_another_page(chat):
    _send(chat, "A xylophone")

    chat.switch_page("pages/models_page.py").run()
    chat.switch_page("pages/chat_page.py").run()

    assert "A xylophone" in _texts(chat)


def test_signing_out_forgets_it(chat):
    _send(chat, "A xylophone")

    del chat.session_state["auth_session"]
    chat.run()

    assert not chat.session_state["temporary_chat"]


def test_somebody_else_in_the_same_tab_does_not_see_it(chat, services):
    _send(chat, "A xylophone")

    sign_in_app(chat, add_person(services.database, "bob")).run()

    assert "xylophone" not in _texts(chat)
    assert "temporary_chat" not in chat.session_state or chat.session_state["temporary_chat"] is None


def test_a_failed_answer_can_be_asked_for_again(chat):
    choose_in_app(chat, "refused-401")
    _send(chat, "A xylophone")
    choose_in_app(chat, "swift")

    again = next(button for button in chat.button if (button.key or "").startswith("again_"))
    again.click().run()

    assert not chat.exception
    assert [message.name for message in chat.chat_message] == ["user", "assistant"]
    assert "A short answer." in _texts(chat)


def _act(page: AppTest, message: int, act: str) -> AppTest:
    """Press one of the actions below a message."""
    rows = [part.proto for part in page.get("bidi_component") if part.proto.component_name == "message_actions"]
    return send_from_component(page, "message_actions", event="act", value=act, key=rows[message].id)


def test_messages_are_edited_in_place(chat, provider):
    _send(chat, "A xylophone")
    _send(chat, "And again")

    _act(chat, 0, "edit")
    chat.text_area[0].set_value("A violin")
    _press_start(chat, "send_edit_")

    assert not chat.exception
    assert [message.name for message in chat.chat_message] == ["user", "assistant"]
    assert "A violin" in _texts(chat)
    assert "xylophone" not in _texts(chat)


def test_an_answer_is_given_again_in_its_place(chat):
    _send(chat, "A xylophone")

    _act(chat, 1, "again")

    assert not chat.exception
    assert [message.name for message in chat.chat_message] == ["user", "assistant"]


def test_messages_are_deleted_and_brought_back(chat):
    _send(chat, "A xylophone")
    _send(chat, "And again")

    _act(chat, 2, "delete")
    assert [message.name for message in chat.chat_message] == ["user", "assistant"]
    assert any("Deleted 2 messages" in caption.value for caption in chat.caption)
    _press(chat, "undo_message")
    assert "And again" in _texts(chat)
    _act(chat, 0, "delete")

    assert not chat.exception
    assert not chat.chat_message
    assert "Temporary chat." in _texts(chat)


def test_a_thumb_is_kept_for_the_model_without_a_word_of_the_chat(chat, services):
    _send(chat, "A xylophone")

    _act(chat, 1, "bad")

    (kept,) = services.database.fetch_all("select model_id, rating, reason from feedback")
    assert kept == {"model_id": "swift", "rating": -1, "reason": None}
    assert any("What was wrong with it?" in field.label for field in chat.text_input)
    _act(chat, 1, "bad")
    assert services.database.fetch_all("select * from feedback") == []
    assert "xylophone" not in _stored(services)


def _press_start(page: AppTest, start: str) -> AppTest:
    return next(button for button in page.button if (button.key or "").startswith(start)).click().run()
