"""The chat page under AppTest: what is drawn, refused and kept, without a browser."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services
from core.chat.admission import TurnRequest
from core.chat.store import list_conversations, rename_conversation
from tests.support.chatting import choose_in_app
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app

ANSWERS = {"swift": "A short answer.", "html": "<b>not bold</b> :red[not red]"}


@pytest.fixture(name="chat")
def _chat(services, ada) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    return sign_in_app(app, ada).run()


def _send(app: AppTest, text: str) -> AppTest:
    return app.chat_input[0].set_value(text).run()


def _texts(app: AppTest) -> str:
    return "\n".join(element.value.replace("\\", "") for element in app.markdown)


def _answered(services: Services, user_id: str, text: str, *, conversation_id: str | None = None) -> str:
    """Have a message answered without a page; the conversation's id."""
    request = TurnRequest(user_id=user_id, model_id="swift", text=text, conversation_id=conversation_id)
    live = services.engine.start(request)
    assert live.buffer.wait_until_ended(timeout_s=20)
    return live.ids.conversation


def test_a_message_is_answered_and_the_figures_are_under_it(chat):
    _send(chat, "Hello")

    assert not chat.exception
    assert [message.name for message in chat.chat_message] == ["user", "assistant"]
    assert "A short answer." in _texts(chat)
    captions = [caption.value.replace("\\", "") for caption in chat.caption]
    assert any("**Swift** · " in caption and " in · " in caption and "$0.0" in caption for caption in captions)


def test_the_conversation_is_listed_and_in_the_url(chat, services, ada):
    _send(chat, "Hello there")

    (conversation,) = list_conversations(services.database, user_id=ada.id, limit=5)
    assert chat.query_params["c"] in (conversation.id, [conversation.id])
    assert "Hello there" in [button.label for button in chat.sidebar.button]


@pytest.mark.parametrize("composer_first", [True, False])
def test_what_is_typed_after_new_chat_goes_there_where_both_arrive_together(chat, services, ada, composer_first):
    _send(chat, "Hello there")
    chat.button(key="new_chat").click()
    chat.chat_input[0].set_value("Another matter")
    states = chat._tree.get_widget_states()
    ordered = sorted(states.widgets, key=lambda state: state.id.endswith("-composer"), reverse=composer_first)
    del states.widgets[:]
    states.widgets.extend(ordered)
    chat._run(states)

    assert not chat.exception
    listed = list_conversations(services.database, user_id=ada.id, limit=5)
    assert {conversation.title for conversation in listed} == {"Hello there", "Another matter"}
    assert "Another matter" in _texts(chat)
    chat.button(key="new_chat").click().run()
    assert not chat.chat_message


@pytest.mark.parametrize("text", ["   ", "\n\n"])
def test_an_empty_message_is_refused_in_words(chat, text, services, ada):
    _send(chat, text)

    assert not chat.exception
    assert any("empty" in warning.value for warning in chat.warning)
    assert list_conversations(services.database, user_id=ada.id, limit=5) == []


def test_a_model_without_a_key_is_refused_and_nothing_is_stored(chat, services, ada):
    choose_in_app(chat, "keyless")
    _send(chat, "A precious draft")

    assert any("no key" in warning.value for warning in chat.warning)
    assert list_conversations(services.database, user_id=ada.id, limit=5) == []


def test_markup_of_a_model_stays_text(chat):
    choose_in_app(chat, "html")
    _send(chat, "Show me")

    assert any(element.value == r"<b>not bold</b> \:red[not red]" for element in chat.markdown)
    assert not any(element.allow_html for element in chat.markdown)


def test_only_the_last_messages_are_drawn_until_earlier_ones_are_asked_for(chat, services, ada):
    conversation = _answered(services, ada.id, "message 0")
    for number in range(1, 12):
        _answered(services, ada.id, f"message {number}", conversation_id=conversation)

    chat.query_params["c"] = conversation
    chat.run()
    assert len(chat.chat_message) == 12
    assert chat.chat_message[0].markdown[0].value == "message 6"
    next(button for button in chat.button if button.key == "earlier").click().run()

    assert len(chat.chat_message) == 24
    assert chat.chat_message[0].markdown[0].value == "message 0"


def test_messages_keep_their_places_when_one_is_sent(chat, services, ada):
    conversation = _answered(services, ada.id, "message 0")
    for number in range(1, 8):
        _answered(services, ada.id, f"message {number}", conversation_id=conversation)
    chat.query_params["c"] = conversation
    chat.run()
    before = [message.markdown[0].value for message in chat.chat_message]

    _send(chat, "message 8")

    after = [message.markdown[0].value for message in chat.chat_message]
    assert before[0] == "message 2"
    assert after == [*before, "message 8", "A short answer."]


def test_opening_a_conversation_selects_its_model_and_a_new_chat_the_default(chat, services, ada):
    conversation = _answered(services, ada.id, "Hello")
    chat.query_params["c"] = conversation
    chat.run()
    choose_in_app(chat, "html")

    next(button for button in chat.sidebar.button if button.key == "new_chat").click().run()
    assert chat.session_state["active_model"] == "swift"
    next(button for button in chat.sidebar.button if button.key == f"open_{conversation}").click().run()

    assert chat.session_state["active_model"] == "html"


@pytest.mark.parametrize("conversation", ["nonsense", "", "01900000-0000-7000-8000-000000000000", "' or 1=1 --"])
def test_an_address_that_leads_nowhere_says_so_and_offers_a_new_chat(chat, conversation):
    chat.query_params["c"] = conversation
    chat.run()

    assert not chat.exception
    if conversation:
        assert "not found" in chat.error[0].value
    else:
        assert chat.chat_input


def test_somebody_elses_conversation_is_not_found(chat, services):
    bob = add_person(services.database, "bob")
    conversation = _answered(services, bob.id, "A secret")

    chat.query_params["c"] = conversation
    chat.run()

    assert "not found" in chat.error[0].value
    assert "A secret" not in _texts(chat)


def test_a_long_title_shows_as_text(chat, services, ada):
    conversation = _answered(services, ada.id, "Hello")
    rename_conversation(services.database, conversation_id=conversation, user_id=ada.id, title="*x* " * 60)

    chat.query_params["c"] = conversation
    chat.run()

    assert not chat.exception
    assert any(element.value.startswith(r"**\*x\*") for element in chat.markdown)


def test_a_choice_and_a_message_sent_at_once_go_to_the_chosen_model(chat):
    chat.chat_input[0].set_value("Show me")
    choose_in_app(chat, "html")

    assert not chat.exception
    assert any("**Html** · " in caption.value.replace("\\", "") for caption in chat.caption)
    assert chat.session_state["active_model"] == "html"
