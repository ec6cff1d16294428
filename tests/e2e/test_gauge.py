"""Context, prices, ways on when it is too long, what a switch costs, a limit in dollars, in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import ask, choose_model, composer, messages, wait_until_answered, write_registry
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

MORE = """
  - {id: small, call: loop/swift, label: Small, price: {input: 1, output: 2}, context_tokens: 2000}
  - {id: wide, call: loop/swift, label: Wide, price: {input: 0.5, output: 2}, context_tokens: 400000}
  - {id: wider, call: loop/steady, label: Wider, price: {input: 3, output: 6}, context_tokens: 500000}
  - {id: dear, call: loop/talker, label: Dear, price: {input: 10, output: 1000}, context_tokens: 100000}
"""
# Puts a text into the composer and reads the price in one task of the browser: no answer of the server can be in it.
TYPE_AND_READ = """(strip, text) => {
  const box = document.querySelector('.st-key-composer textarea');
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text);
  box.dispatchEvent(new Event('input', { bubbles: true }));
  return strip.querySelector('.own .figure').textContent;
}"""


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        provider.behave("steady", say("A note of what was said."))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
    registry.write_text(registry.read_text() + MORE)
    return start(SWITCHBOARD_MODELS=str(registry), admin=True)


@pytest.fixture(name="chat")
def _chat(page: Page, server: LiveServer) -> Page:
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def strip(page: Page) -> Locator:
    return page.get_by_role("group", name="Context and cost of the next message")


def button(page: Page, name: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("button", name=name)


def test_typing_changes_the_prices_at_once_and_a_click_on_one_switches(chat: Page) -> None:
    choose_model(chat, "Swift")
    expect(strip(chat)).to_contain_text("0 of 100k")
    expect(strip(chat)).to_contain_text("Swift $0.00043\u20130.00088")

    typed = strip(chat).evaluate(TYPE_AND_READ, "word " * 10_000)

    assert typed == "$0.01"
    expect(strip(chat)).to_contain_text(re.compile(r"(10k|10\.\dk|9,\d{3}) of 100k"))
    strip(chat).get_by_role("button", name=re.compile("^Wide ")).click()
    expect(chat.get_by_role("combobox", name="Model", exact=True)).to_have_value("Wide")
    expect(strip(chat).locator(".own")).to_contain_text("Wide")
    expect(composer(chat)).to_have_value(re.compile("^word word"))

    # After an answer the line knows what was said, without another click.
    composer(chat).press("Enter")
    wait_until_answered(chat, 2)
    expect(strip(chat)).to_contain_text(re.compile(r"of 400k"))
    expect(strip(chat)).not_to_contain_text("0 of 400k")


def test_a_message_that_is_too_long_has_ways_on_and_keeps_its_words(chat: Page, provider) -> None:
    choose_model(chat, "Swift")
    ask(chat, "word " * 1500)
    wait_until_answered(chat, 2)
    choose_model(chat, "Small")
    ask(chat, "again " * 800)

    expect(chat.get_by_text("Small takes 2,000")).to_be_visible()
    expect(composer(chat)).to_have_value(re.compile("^again again"))
    button(chat, "Leave out the oldest").click()
    expect(chat.get_by_text("Your next message goes without the oldest ones")).to_be_visible()
    expect(composer(chat)).to_have_value(re.compile("^again again"))
    composer(chat).press("Enter")
    wait_until_answered(chat, 4)
    expect(messages(chat).last).to_contain_text("sent without the 2 oldest messages")
    assert [one["role"] for one in provider.requests[-1].body["messages"]] == ["user"]

    button(chat, re.compile(r"^Summarise the first \d \((about )?\$")).click()
    expect(chat.get_by_text("are sent as a summary by")).to_be_visible()
    expect(button(chat, "Leave out the oldest")).to_have_count(0)
    ask(chat, "Now?")
    wait_until_answered(chat, 6)
    assert provider.requests[-1].body["messages"][0]["content"].startswith("(A summary of the first")
    button(chat, "Send them whole").click()
    button(chat, re.compile(r"^Use .* \(\d+k\)$")).click()
    expect(strip(chat)).not_to_contain_text("too long")
    ask(chat, "And now?")
    wait_until_answered(chat, 8)


def test_a_switch_in_a_very_long_conversation_says_what_it_costs_and_asks_first(chat: Page) -> None:
    choose_model(chat, "Wide")
    ask(chat, "a b c d e f g " * 15_000)
    wait_until_answered(chat, 2)
    choose_model(chat, "Wider")
    expect(chat.get_by_text("From Wide to Wider: the next answer costs about")).to_be_visible()

    ask(chat, "Go on")
    expect(chat.get_by_text("This conversation is long")).to_be_visible()
    expect(composer(chat)).to_have_value("Go on")
    button(chat, "Switch to Wider").click()
    expect(button(chat, "Switch to Wider")).to_have_count(0)
    composer(chat).press("Enter")
    wait_until_answered(chat, 4)
    expect(messages(chat).last).to_contain_text("Wider")


def test_a_limit_in_dollars_cuts_the_answer_and_continue_goes_on(chat: Page, provider) -> None:
    provider.behave("talker", say("one two three four five six seven eight nine ten " * 10))
    choose_model(chat, "Dear")
    button(chat, "Parameters").click()
    limit = chat.get_by_role("spinbutton", name="Most for an answer (USD)")
    limit.fill("0.03")
    limit.press("Enter")
    expect(chat.get_by_text("This conversation", exact=True)).to_be_visible()
    chat.keyboard.press("Escape")
    expect(limit).to_have_count(0)
    ask(chat, "Count, please")
    wait_until_answered(chat, 2)

    expect(messages(chat).last).to_contain_text("cut at your limit of $0.03")
    assert 16 <= provider.requests[-1].body["max_tokens"] < 30
    provider.behave("talker", say("and so on."))
    button(chat, "Continue").click()
    expect(messages(chat).last).to_contain_text("and so on.")
    expect(messages(chat).last).not_to_contain_text("cut at your limit")
