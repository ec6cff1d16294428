"""Everything a person does with keys alone, the sheet that names them, and where the focus goes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import (
    ask,
    choose_model,
    composer,
    menu,
    messages,
    stop_button,
    wait_until_answered,
    write_registry,
)
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

LONG = " ".join(f"word{number}" for number in range(900))


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory) -> LiveServer:
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        provider.behave("steady", say(LONG, tokens_per_second=20))
        registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
        server = start(SWITCHBOARD_MODELS=str(registry), admin=True)
        yield server


@pytest.fixture(name="chat")
def _chat(page: Page, server: LiveServer) -> Page:
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def sheet(page: Page):
    return page.get_by_role("dialog", name="Keyboard shortcuts")


def test_the_sheet_opens_by_key_and_by_button_and_gives_the_focus_back(chat: Page) -> None:
    composer(chat).focus()
    chat.keyboard.press("Shift+?")
    expect(composer(chat)).to_have_value("?")

    chat.keyboard.press("Control+/")
    expect(sheet(chat)).to_be_visible()
    expect(sheet(chat)).to_contain_text("Stop the answer")
    chat.keyboard.press("Escape")
    expect(sheet(chat)).to_be_hidden()
    expect(composer(chat)).to_be_focused()

    chat.get_by_role("button", name="Keyboard shortcuts").click()
    sheet(chat).get_by_role("button", name="Close").click()
    expect(sheet(chat)).to_be_hidden()
    composer(chat).blur()
    chat.keyboard.press("Shift+?")
    expect(sheet(chat)).to_be_visible()
    expect(composer(chat)).to_have_value("?")


def test_a_conversation_by_keys_alone(chat: Page) -> None:
    choose_model(chat, "Swift")
    chat.keyboard.press("Shift+Escape")
    expect(composer(chat)).to_be_focused()
    chat.keyboard.type("First line")
    chat.keyboard.press("Shift+Enter")
    chat.keyboard.type("Second line")
    chat.keyboard.press("Enter")
    wait_until_answered(chat, 2)
    expect(messages(chat).first).to_contain_text("Second line")
    expect(composer(chat)).to_be_focused()

    answer = messages(chat).nth(1)
    answer.get_by_role("toolbar").get_by_role("button", name="Answer again").click()
    chat.get_by_role("menuitem", name="With the chosen model").press("Enter")
    expect(answer.get_by_text("2/2")).to_be_visible()
    wait_until_answered(chat, 2)
    chat.keyboard.press("Control+Shift+ArrowLeft")
    expect(answer.get_by_text("1/2")).to_be_visible()
    chat.keyboard.press("Control+Shift+ArrowRight")
    expect(answer.get_by_text("2/2")).to_be_visible()

    # Where words are being marked, the keys are those of the box.
    composer(chat).fill("some words")
    chat.keyboard.press("Control+Shift+ArrowLeft")
    expect(answer.get_by_text("2/2")).to_be_visible()
    composer(chat).fill("")
    chat.keyboard.press("Control+Shift+O")
    expect(messages(chat)).to_have_count(0)
    chat.keyboard.press("Control+k")
    expect(chat.get_by_role("searchbox")).to_be_focused()
    chat.get_by_role("link", name="Models").click()
    expect(chat.get_by_role("heading", name="Models")).to_be_visible()
    chat.keyboard.press("Control+Shift+O")
    expect(chat.get_by_text("What can I help with?")).to_be_visible()


def test_escape_stops_the_answer_but_not_from_another_field_or_an_open_dialog(chat: Page) -> None:
    choose_model(chat, "Steady")
    ask(chat, "Go on for long")
    expect(messages(chat).nth(1)).to_contain_text("word1")

    chat.keyboard.press("Control+/")
    chat.keyboard.press("Escape")
    expect(sheet(chat)).to_be_hidden()
    chat.get_by_role("combobox", name="Model", exact=True).click()
    chat.keyboard.press("Escape")
    expect(stop_button(chat)).to_be_visible()
    composer(chat).focus()
    chat.keyboard.press("Escape")

    expect(stop_button(chat)).to_have_count(0)
    expect(messages(chat).nth(1)).to_contain_text("stopped")


def test_the_focus_is_in_the_message_box_after_a_new_chat_a_conversation_and_a_dialog(chat: Page) -> None:
    choose_model(chat, "Swift")
    ask(chat, "Hello")
    wait_until_answered(chat, 2)

    menu(chat, "Rename")
    chat.get_by_role("dialog").get_by_role("textbox").fill("Greetings")
    chat.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(chat.get_by_role("dialog")).to_have_count(0)
    expect(composer(chat)).to_be_focused()
    chat.get_by_role("button", name="New chat").click()
    expect(messages(chat)).to_have_count(0)
    expect(composer(chat)).to_be_focused()
    chat.get_by_role("button", name="Greetings").click()
    expect(messages(chat)).to_have_count(2)
    expect(composer(chat)).to_be_focused()


def test_every_button_of_the_chat_says_what_it_does(chat: Page) -> None:
    choose_model(chat, "Swift")
    ask(chat, "Hello")
    wait_until_answered(chat, 2)

    unnamed = chat.evaluate(
        """() => [...document.querySelectorAll('button')].filter((button) => {
            const name = button.ariaLabel || button.title || button.innerText;
            const icons = [...button.querySelectorAll('[data-testid=stIconMaterial]')].map((icon) => icon.textContent);
            return button.checkVisibility() && !icons.reduce((left, icon) => left.replace(icon, ''), name ?? '').trim();
        }).map((button) => button.closest('[class*=st-key]')?.className ?? button.outerHTML)"""
    )

    assert unnamed == []
