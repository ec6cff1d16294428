"""A model that fails, as a person sees it: what is being tried, who answered, and whom to ask instead."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import ask, choose_model, composer, menu, messages, stop_button, wait_until_answered
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import SERVER_ERROR, Refusal, say
from tests.support.provider_server import ProviderServer

# A model for each test: what one does to a model's circuit is of no concern to the next.
REGISTRY = """
providers:
  loop: {{kind: openai, api_base: '{api_base}', api_key: none}}
models:
  - {{id: fast, call: loop/fast, label: Fast one, price: {{input: 1, output: 2}}, fallbacks: [steady]}}
  - {{id: busy, call: loop/busy, label: Busy one, price: {{input: 1, output: 2}}, fallbacks: [steady]}}
  - {{id: moody, call: loop/moody, label: Moody one, price: {{input: 1, output: 2}}, fallbacks: [steady]}}
  - {{id: steady, call: loop/steady, label: Steady, price: {{input: 1, output: 2}}}}
"""


def limited(retry_after: str) -> Refusal:
    return Refusal(status=429, type="requests", code="rate_limit_exceeded", message="Slow.", retry_after=retry_after)


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("steady", say("A steady answer."))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = tmp_path_factory.mktemp("registry") / "models.yaml"
    registry.write_text(REGISTRY.format(api_base=provider.api_base), encoding="utf-8")
    return start(SWITCHBOARD_MODELS=str(registry), SWITCHBOARD_PROBES="off", admin=True)


@pytest.fixture(name="chat")
def _chat(page: Page, server: LiveServer) -> Page:
    """A page signed in, on a new chat."""
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def test_the_page_says_what_is_being_tried_and_then_who_answered_for_whom(chat: Page, provider: ProviderServer) -> None:
    provider.behave("fast", limited("3"), SERVER_ERROR)

    choose_model(chat, "Fast one")
    ask(chat, "Hello")
    answer = messages(chat).nth(1)
    expect(answer).to_contain_text(re.compile(r"Fast one is over its rate limit for 3 s, trying again in \d s"))
    expect(answer).to_contain_text("A steady answer.", timeout=20_000)
    wait_until_answered(chat, 2)

    receipt = re.compile(r"Steady answered for Fast one \(429, 3 tries, \+\d+\.\d s\)")
    expect(answer).to_contain_text(receipt)
    answer.get_by_text("4 tries").click()
    expect(answer.get_by_role("listitem")).to_have_count(4)
    expect(answer.get_by_role("listitem").nth(1)).to_contain_text("Fast one · server error")
    chat.reload()
    expect(messages(chat).nth(1)).to_contain_text(receipt)


def test_a_stop_while_waiting_is_immediate(chat: Page, provider: ProviderServer) -> None:
    provider.behave("busy", limited("50"))
    choose_model(chat, "Busy one")
    ask(chat, "Hello")
    expect(messages(chat).nth(1)).to_contain_text("trying again in")

    stop_button(chat).click()

    expect(messages(chat).nth(1)).to_contain_text("Busy one · stopped", timeout=3_000)


def test_who_asked_to_be_asked_chooses_the_other_model(chat: Page, provider: ProviderServer) -> None:
    provider.behave("moody", say("A fast answer."))
    choose_model(chat, "Moody one")
    ask(chat, "Hello")
    wait_until_answered(chat, 2)
    menu(chat, "When a model fails")
    dialog = chat.get_by_role("dialog")
    dialog.get_by_text("Ask me", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)

    provider.behave("moody", SERVER_ERROR)
    ask(chat, "And now?")
    wait_until_answered(chat, 4)
    expect(messages(chat).nth(3)).to_contain_text("Moody one had an error at its provider. Your message is kept.")
    chat.get_by_role("button", name="Ask Steady instead").click()

    expect(messages(chat).nth(3)).to_contain_text("A steady answer.")
    wait_until_answered(chat, 4)
    menu(chat, "When a model fails")
    expect(chat.get_by_role("dialog").get_by_role("radio", name=re.compile("Ask me"))).to_be_checked()
