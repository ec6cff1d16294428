"""Messages as a person handles them: copy, branches by the keyboard, two tabs, drafts, going on after a stop."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import (
    ask,
    choose_model,
    composer,
    messages,
    stop_button,
    wait_until_answered,
    write_registry,
)
from tests.support.live_server import LiveServer, wait_for
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

SHORT = "A **bold** answer.\n\nIt has two paragraphs."
SUGGESTION = "Plan five simple dinners with a shopping list"
LONG = " ".join(f"word{number}" for number in range(900))


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say(SHORT))
        provider.behave("steady", say(LONG, tokens_per_second=20))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
    return start(SWITCHBOARD_MODELS=str(registry), admin=True)


@pytest.fixture(name="chat")
def _chat(open_profile, server: LiveServer) -> Page:
    """A page signed in, on a new chat, that may use the clipboard."""
    page = open_profile(permissions=["clipboard-read", "clipboard-write"])
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def action(message: Locator, name: str | re.Pattern[str]) -> Locator:
    """A button of the row under a message."""
    return message.get_by_role("toolbar").get_by_role("button", name=name)


def test_copying_gives_the_markdown_of_the_answer(chat: Page) -> None:
    ask(chat, "Hello")
    wait_until_answered(chat, 2)

    action(messages(chat).nth(1), "Copy answer").click()

    wait_for(lambda: chat.evaluate("navigator.clipboard.readText()") == SHORT, what="the answer in the clipboard")


def test_another_answer_is_a_branch_and_the_keyboard_steps_between_them(chat: Page) -> None:
    ask(chat, "Hello")
    wait_until_answered(chat, 2)
    answer = messages(chat).nth(1)

    action(answer, "Answer again").click()
    chat.get_by_role("menuitem", name="With another model or parameters").click()
    chat.get_by_role("dialog").get_by_role("button", name="Answer again").click()
    expect(answer.get_by_text("2/2")).to_be_visible()
    expect(chat.get_by_role("dialog")).to_have_count(0)
    # After a dialog the focus is led to the composer (keyboard.js) until a person presses or clicks something.
    chat.keyboard.press("Shift")
    action(answer, "Previous answer").press("Enter")
    expect(answer.get_by_text("1/2")).to_be_visible()
    expect(action(answer, "Next answer")).to_be_focused()
    action(answer, "Next answer").press("Enter")

    expect(answer.get_by_text("2/2")).to_be_visible()


def test_a_second_tab_follows_stops_and_shows_what_the_first_deletes(chat: Page) -> None:
    ask(chat, "Hello")
    wait_until_answered(chat, 2)
    second = chat.context.new_page()
    second.goto(chat.url)
    expect(messages(second)).to_have_count(2)
    choose_model(chat, "Steady")

    ask(chat, "Take your time")
    expect(messages(second).nth(3)).to_contain_text("word3")
    stop_button(second).click()
    wait_until_answered(chat, 4)
    wait_until_answered(second, 4)
    expect(messages(second).nth(3)).to_contain_text("Steady · stopped")

    messages(chat).nth(2).hover()
    action(messages(chat).nth(2), re.compile("Delete")).click()
    expect(messages(second)).to_have_count(2)


def test_a_stopped_answer_goes_on_in_its_place(chat: Page, provider: ProviderServer) -> None:
    choose_model(chat, "Steady")
    ask(chat, "Stop me")
    expect(messages(chat).nth(1)).to_contain_text("word5")
    stop_button(chat).click()
    wait_until_answered(chat, 2)
    provider.behave("steady", say(" and here is the rest."))
    try:
        chat.get_by_role("button", name="Continue").click()

        expect(messages(chat).nth(1)).to_contain_text("and here is the rest.")
        expect(messages(chat).nth(1)).to_contain_text("word5")
        wait_until_answered(chat, 2)
        expect(chat.get_by_role("button", name="Continue")).to_have_count(0)
    finally:
        provider.behave("steady", say(LONG, tokens_per_second=20))


def test_sending_twice_by_accident_asks_once(chat: Page, provider: ProviderServer) -> None:
    before = len(provider.requests)
    composer(chat).fill("Once")
    composer(chat).press("Enter")
    composer(chat).press("Enter")
    wait_until_answered(chat, 2)

    chat.locator(".st-key-new_chat button").click()
    chat.locator(".st-key-suggestions").get_by_role("button", name=SUGGESTION).dblclick()
    expect(messages(chat).nth(0)).to_contain_text(SUGGESTION)
    wait_until_answered(chat, 2)

    asked = [request.body["messages"][-1]["content"] for request in provider.requests[before:]]
    assert [text for text in asked if text in {"Once", SUGGESTION}] == ["Once", SUGGESTION]


def test_a_draft_survives_a_reload_another_page_and_another_conversation(chat: Page) -> None:
    ask(chat, "The first chat")
    wait_until_answered(chat, 2)
    conversation = chat.url.rsplit("=", 1)[-1]
    composer(chat).press_sequentially("A precious draft")

    chat.reload()
    expect(composer(chat)).to_have_value("A precious draft")
    chat.get_by_role("link", name="Settings").click()
    expect(chat.get_by_role("heading", name="Settings")).to_be_visible()
    chat.get_by_role("link", name="Chat", exact=True).click()
    expect(composer(chat)).to_have_value("A precious draft")
    chat.locator(".st-key-new_chat button").click()
    expect(chat.get_by_text("What can I help with?")).to_be_visible()
    expect(composer(chat)).to_have_value("")
    chat.locator(f".st-key-open_{conversation} button").click()

    expect(composer(chat)).to_have_value("A precious draft")
