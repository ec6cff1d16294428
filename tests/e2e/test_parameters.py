"""The parameter form per model, and preferences that outlive signing out, another browser and a restart."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import create_admin, open_signed_in, sign_in, sign_out
from tests.support.chatting import ask, choose_model, composer, wait_until_answered, write_registry
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        for name in ("swift", "steady"):
            provider.behave(name, say("A short answer."))
        yield provider


@pytest.fixture(name="registry", scope="module")
def _registry(provider, tmp_path_factory) -> str:
    return str(write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider))


@pytest.fixture(name="server", scope="module")
def _server(start, registry):
    return start(SWITCHBOARD_MODELS=registry, admin=True)


@pytest.fixture(name="chat")
def _chat(page: Page, server) -> Page:
    open_signed_in(page, server)
    return page


def open_form(page: Page) -> None:
    page.get_by_role("button", name="Parameters").click()
    expect(page.get_by_role("textbox", name="System prompt")).to_be_visible()


def close_form(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.get_by_role("textbox", name="System prompt")).to_have_count(0)


def number(page: Page, label: str) -> Locator:
    return page.get_by_role("spinbutton", name=label)


def enter(page: Page, label: str, value: str) -> None:
    number(page, label).fill(value)
    number(page, label).press("Enter")


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a select box of the page by typing."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).first.click()


def test_every_model_has_its_own_form_and_what_is_set_is_sent(chat: Page, provider) -> None:
    choose_model(chat, "Swift")
    open_form(chat)
    enter(chat, "Temperature", "0.3")
    expect(chat.get_by_text("This conversation")).to_be_visible()
    expect(number(chat, "Seed")).to_be_visible()
    close_form(chat)

    choose_model(chat, "Keyless")
    open_form(chat)
    expect(number(chat, "Temperature")).to_have_attribute("max", "1")
    expect(number(chat, "Seed")).to_have_count(0)
    expect(chat.get_by_role("combobox", name="Reasoning effort")).to_be_visible()
    close_form(chat)

    choose_model(chat, "Swift")
    ask(chat, "Hello")
    wait_until_answered(chat, 2)
    assert provider.requests[-1].body["temperature"] == 0.3


def test_a_number_out_of_range_is_never_sent(chat: Page, provider) -> None:
    choose_model(chat, "Swift")
    open_form(chat)
    enter(chat, "Temperature", "7")
    close_form(chat)
    ask(chat, "Hello")
    wait_until_answered(chat, 2)

    assert provider.requests[-1].body.get("temperature") in {None, 2.0}


def test_what_is_kept_for_a_model_holds_in_new_chats_until_it_is_reset(chat: Page, provider) -> None:
    choose_model(chat, "Steady")
    open_form(chat)
    enter(chat, "Top p", "0.5")
    chat.get_by_role("button", name="Keep for this model").click()
    expect(chat.get_by_text("Mine, for this model")).to_be_visible()
    close_form(chat)
    chat.get_by_role("button", name="New chat").first.click()
    choose_model(chat, "Steady")
    ask(chat, "Hello")
    wait_until_answered(chat, 2)
    assert provider.requests[-1].body["top_p"] == 0.5

    open_form(chat)
    chat.get_by_role("button", name="Reset", exact=True).click()
    expect(chat.get_by_text("Mine, for this model")).to_have_count(0)
    close_form(chat)
    ask(chat, "Hello")
    wait_until_answered(chat, 4)
    assert "top_p" not in provider.requests[-1].body


def test_preferences_outlive_sign_out_another_browser_and_a_restart(
    page: Page, open_profile, start, registry, tmp_path
) -> None:
    server = start(directory=tmp_path, SWITCHBOARD_MODELS=registry)
    create_admin(page, server)
    page.get_by_role("link", name="Settings").click()
    choose(page, "Default model", "Steady")
    expect(page.get_by_text("Default model saved.")).to_be_visible()
    choose(page, "Time zone", "Asia/Tokyo")
    expect(page.get_by_text("Time zone saved.")).to_be_visible()
    sign_out(page)
    sign_in(page)
    page.get_by_role("link", name="Chat").click()
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value(re.compile("Steady"))
    server.stop()

    again = start(directory=tmp_path, SWITCHBOARD_MODELS=registry)
    other = open_profile()
    open_signed_in(other, again)
    expect(composer(other)).to_be_visible()
    expect(other.get_by_role("combobox", name="Model", exact=True)).to_have_value(re.compile("Steady"))
    other.get_by_role("link", name="Settings").click()
    expect(other.get_by_role("combobox", name="Time zone", exact=True)).to_have_value("Asia/Tokyo")
    with other.expect_download() as downloading:
        other.get_by_role("button", name="Export my data").click()
    exported = json.loads(downloading.value.path().read_text(encoding="utf-8"))
    assert exported["preferences"] == {"default_model": "steady", "time_zone": "Asia/Tokyo"}
