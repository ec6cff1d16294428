"""Files on the chat page under AppTest: sent, shown, refused and kept, without a browser."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services, close_services, open_services
from core.chat.store import list_conversations, load_messages
from core.settings import Settings
from tests.support.chatting import choose_in_app, click_again, write_registry
from tests.support.files import picture
from tests.support.live_server import ROOT
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app

SEER = "\n  - {id: seer, call: loop/swift, label: Seer, price: {input: 3, output: 6}, capabilities: [vision]}\n"
DEAR = "  - {id: dear, call: loop/swift, label: Dear, price: {input: 9, output: 9}, capabilities: [vision]}\n"


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        yield provider


@pytest.fixture(name="services")
def _services(tmp_path, provider):
    close_services()
    registry = write_registry(tmp_path / "models.yaml", provider)
    registry.write_text(registry.read_text() + SEER + DEAR)
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off", probes="off"))
    close_services()


@pytest.fixture(name="chat")
def _chat(services, ada) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    return sign_in_app(app, ada).run()


def attach(app: AppTest, *files: tuple[str, bytes, str]) -> None:
    """Put files into the composer, to be sent with the next run."""
    for file in files:
        app.chat_input[0].upload(*file)


def send(app: AppTest, text: str) -> AppTest:
    return app.chat_input[0].set_value(text).run()


def labels(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in app.button]


def said(app: AppTest) -> str:
    shown = [*app.markdown, *app.caption, *app.warning]
    return "\n".join(element.value.replace("\\", "") for element in shown)


def questions(services: Services, user_id: str):
    """The stored questions of the one conversation, with their files."""
    [conversation] = list_conversations(services.database, user_id=user_id, limit=2)
    messages = load_messages(services.database, conversation=conversation)
    return [message for message in messages if message.role == "user"]


CAT = ("cat.png", picture(), "image/png")
NOTE = ("note.md", b"remember the milk", "text/markdown")


def test_the_limits_stand_beside_the_composer(chat):
    assert "Up to 10 files, 20 MB each" in said(chat)


def test_a_text_goes_with_its_message_and_is_there_to_download(chat, services, ada, provider):
    choose_in_app(chat, "swift")
    attach(chat, NOTE)
    send(chat, "What is to do?")

    [question] = questions(services, ada.id)
    assert [attached.name for attached in question.attachments] == ["note.md"]
    assert "remember the milk" in str(provider.requests[-1].body)
    [download] = chat.get("download_button")
    assert download.proto.label.replace("\\", "") == "note.md (17 bytes)"


def test_images_are_refused_by_a_model_that_cannot_see_and_the_cheapest_that_can_is_offered(chat, services, provider):
    choose_in_app(chat, "swift")
    attach(chat, CAT, NOTE)
    send(chat, "What is it?")

    assert "Swift cannot see images, and your message has one." in said(chat)
    assert chat.chat_input[0].proto.value == "What is it?"
    assert {"cat.png (8 by 4 pixels, about 255 tokens)", "note.md (17 bytes, about 3 tokens)"} < set(labels(chat))
    assert "Use Seer" in labels(chat)
    assert not provider.requests


def test_with_the_model_on_offer_the_files_go_out(chat, services, ada, provider):
    choose_in_app(chat, "swift")
    attach(chat, CAT)
    send(chat, "What is it?")

    chat.button(key="use_seeing").click().run()
    send(chat, "What is it?")

    [question] = questions(services, ada.id)
    assert [attached.name for attached in question.attachments] == ["cat.png"]
    [request] = provider.requests
    assert request.body["messages"][-1]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert not [label for label in labels(chat) if label.startswith("cat.png")]
    [image] = chat.get("image")
    assert image.proto.imgs[0].alt == "cat.png"
    assert image.proto.imgs[0].url.startswith("data:image/webp;base64,")


def test_an_image_sent_before_is_a_note_for_a_model_that_cannot_see_and_the_page_says_so(chat, provider):
    choose_in_app(chat, "seer")
    attach(chat, CAT)
    send(chat, "What is it?")
    choose_in_app(chat, "swift")

    assert "Swift cannot see the image of this chat: it reads a note in its place." in said(chat)
    send(chat, "Are you sure?")

    assert "You cannot see images" in provider.requests[-1].body["messages"][0]["content"]


def test_files_wait_in_the_chat_where_they_were_chosen(chat, services, ada):
    choose_in_app(chat, "swift")
    send(chat, "Hello")
    [conversation] = list_conversations(services.database, user_id=ada.id, limit=2)
    attach(chat, CAT)
    send(chat, "What is it?")
    waiting = "cat.png (8 by 4 pixels, about 255 tokens)"
    assert waiting in labels(chat)

    chat.button(key="new_chat").click().run()
    assert waiting not in labels(chat)
    send(chat, "Something else")
    chat.button(key=f"open_{conversation.id}").click().run()
    assert waiting in labels(chat)


def test_a_waiting_file_can_be_taken_out_and_files_can_go_without_words(chat, services, ada):
    choose_in_app(chat, "swift")
    attach(chat, CAT, NOTE)
    send(chat, "What is it?")

    take_out = next(button for button in chat.button if button.label.startswith("cat"))
    take_out.click().run()
    click_again(chat, take_out.id)
    assert "Use Seer" not in labels(chat)
    chat.button(key="send_files").click().run()

    [question] = questions(services, ada.id)
    assert (question.content, [attached.name for attached in question.attachments]) == ("", ["note.md"])


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (("cat.png", b"hello", "image/png"), "The file cat.png is damaged, or no image that can be read."),
        (("empty.txt", b"", "text/plain"), "The file empty.txt is empty."),
        (("**b** <i>.txt", b"\0\0", "text/plain"), "The file **b** <i>.txt is not text"),
    ],
    ids=["damaged", "empty", "not what it says"],
)
def test_a_bad_file_stops_the_message_and_the_good_one_waits(chat, provider, file, why):
    choose_in_app(chat, "swift")
    attach(chat, NOTE, file)
    send(chat, "What is to do?")

    assert why in said(chat)
    assert chat.chat_input[0].proto.value == "What is to do?"
    assert "note.md (17 bytes, about 3 tokens)" in labels(chat)
    assert not provider.requests


def test_a_camera_writes_its_endings_large(chat, services, ada):
    choose_in_app(chat, "seer")
    attach(chat, ("IMG_0001.JPG", picture(8, 4, "JPEG"), "image/jpeg"))
    send(chat, "What is it?")

    [question] = questions(services, ada.id)
    assert [attached.kind for attached in question.attachments] == ["image"]


def test_the_same_file_twice_goes_once_and_more_than_ten_are_refused(chat, services):
    choose_in_app(chat, "swift")
    attach(chat, NOTE, NOTE, *((f"{number}.txt", b"%d" % number, "text/plain") for number in range(12)))
    send(chat, "What is to do?")

    assert "10 files go with one message; the others were left out." in said(chat)
    waiting = [label for label in labels(chat) if "bytes" in label]
    assert len(waiting) == len(set(waiting)) == 10


def test_after_a_failure_only_models_that_see_are_offered(chat, provider):
    provider.behave("swift", say("A short", ending="reset", break_after=1))
    choose_in_app(chat, "seer")
    attach(chat, CAT)
    send(chat, "What is it?")

    assert [label for label in labels(chat) if label.endswith("instead")] == ["Ask Dear instead"]


def test_trying_again_with_a_model_that_cannot_see_is_refused_with_an_offer(chat, provider):
    choose_in_app(chat, "seer")
    attach(chat, CAT)
    provider.behave("swift", say("A short", ending="reset", break_after=1))
    send(chat, "What is it?")
    choose_in_app(chat, "swift")

    again = next(button for button in chat.button if button.label == "Try again")
    again.click().run()

    assert "Swift cannot see images, and your message has one." in said(chat)
    assert "Use Seer" in labels(chat)
