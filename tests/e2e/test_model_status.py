"""The status of the chosen model follows what happens, while a page just stays open."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import ask, choose_model, composer, messages, stop_button, wait_until_answered
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import SERVER_ERROR, Refusal, say
from tests.support.provider_server import ProviderServer

# Longer than it takes the circuit to close (15 s) and the page to look again (5 s), with room for a busy machine.
SOON_MS = 40_000
LONG = " ".join(f"word{number}" for number in range(480))
# Asks for a pause that a page open next to it can see, and that a test can wait for.
LIMITED = Refusal(
    status=429, type="requests", code="rate_limit_exceeded", message="Rate limit reached.", retry_after="15"
)


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("changing", say("It works."))
        provider.behave("steady", say(LONG, tokens_per_second=40))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = tmp_path_factory.mktemp("registry") / "models.yaml"
    registry.write_text(
        f"""
providers:
  loop: {{kind: openai, api_base: '{provider.api_base}', api_key: none}}
models:
  - {{id: changing, call: loop/changing, label: Changing, limits: {{rpm: 100}}}}
  - {{id: steady, call: loop/steady, label: Steady}}
""",
        encoding="utf-8",
    )
    return start(SWITCHBOARD_MODELS=str(registry), admin=True)


@pytest.fixture(name="chat")
def _chat(page: Page, server: LiveServer) -> Page:
    """A page signed in, on a new chat."""
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def expect_status(page: Page, text: str) -> None:
    """The card says `text`, without anybody touching the page."""
    expect(page.get_by_test_id("stSidebar").get_by_text(re.compile(text))).to_be_visible(timeout=SOON_MS)


def test_the_status_turns_green_amber_and_red_and_back_while_the_page_is_open(
    chat: Page, server: LiveServer, provider: ProviderServer
) -> None:
    composer(chat).fill("A text that I am still writing")
    expect_status(chat, "● healthy")  # found out by a probe: nobody has called it yet
    assert provider.requests == ()
    other = chat.context.new_page()
    other.goto(server.url)
    composer(other).wait_for()

    provider.behave("changing", LIMITED)
    ask(other, "One too many")
    expect_status(chat, r"◐ cooling until \d\d:\d\d \(429\)")
    stop_button(other).click()
    provider.behave("changing", say("It works."))
    expect_status(chat, "● healthy|◐ over its rate limit")
    ask(other, "Better now?")
    wait_until_answered(other, 4)
    expect_status(chat, "● healthy.*100.% worked in 24.h")
    expect_status(chat, r"Left this minute: \d+ requests")

    provider.behave("changing", SERVER_ERROR)
    ask(other, "And now?")
    wait_until_answered(other, 6)
    expect_status(chat, "○ down: ")

    provider.behave("changing", say("It works."))
    ask(other, "Back again?")
    wait_until_answered(other, 8)
    expect_status(chat, r"◐ 2 of \d+ calls worked in 30 minutes")
    expect(composer(chat)).to_have_value("A text that I am still writing")


def test_the_list_of_models_follows_while_somebody_searches_in_it(
    chat: Page, server: LiveServer, provider: ProviderServer
) -> None:
    provider.behave("changing", say("It works."))
    other = chat.context.new_page()
    other.goto(server.url)
    composer(other).wait_for()
    choose_model(other, "Changing")
    search = chat.get_by_role("combobox", name="Model", exact=True)
    search.click()
    search.fill("chang")
    option = chat.get_by_role("option").filter(has_text="Changing")
    expect(option).to_have_count(1)

    ask(other, "One more")
    wait_until_answered(other, 2)
    provider.behave("changing", SERVER_ERROR)
    ask(other, "And now?")

    expect(option).to_have_attribute("aria-label", re.compile("down"), timeout=SOON_MS)
    expect(search).to_have_value("chang")
    expect(chat.get_by_role("option")).to_have_count(1)
    provider.behave("changing", say("It works."))


def test_looking_again_disturbs_neither_a_running_answer_nor_the_composer(chat: Page) -> None:
    choose_model(chat, "Steady")
    ask(chat, "Take your time")
    expect(messages(chat).nth(1)).to_contain_text("word2")
    chat.evaluate(WATCH_GAPS)
    composer(chat).fill("The next question")

    expect(messages(chat).nth(1)).to_contain_text("word479", timeout=30_000)
    longest_gap_ms = chat.evaluate("() => window.longestGap")
    wait_until_answered(chat, 2)
    expect_status(chat, "● healthy.*100.% worked in 24.h")

    assert longest_gap_ms < 1500
    expect(composer(chat)).to_have_value("The next question")


# The longest time for which the answer stood still.
WATCH_GAPS = """() => {
  let last = performance.now();
  window.longestGap = 0;
  new MutationObserver(() => {
    const now = performance.now();
    window.longestGap = Math.max(window.longestGap, now - last);
    last = now;
  }).observe(document.querySelectorAll('[data-testid="stChatMessage"]')[1],
             {childList: true, characterData: true, subtree: true});
}"""
