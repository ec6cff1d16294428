"""Comparisons as a person makes them: columns that stream in parallel, a reload in the middle, going on in the chat."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import ask, choose_model, composer, messages, wait_until_answered, write_registry
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

LONG = " ".join(f"word{number}" for number in range(2000))


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        provider.behave("html", say(LONG, tokens_per_second=20))
        provider.behave("steady", say(LONG, tokens_per_second=20))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
    return start(SWITCHBOARD_MODELS=str(registry), admin=True)


@pytest.fixture(name="signed_in")
def _signed_in(page: Page, server: LiveServer) -> Page:
    open_signed_in(page, server)
    composer(page).wait_for()
    return page


def box(page: Page) -> Locator:
    """The composer of the page of comparisons, before or after the first message."""
    return page.get_by_placeholder(re.compile("^Ask (all of them|them more)$"))


def chips(page: Page) -> Locator:
    """The models of the line-up."""
    return page.locator('.st-key-line_up [class*="st-key-seat_"]')


def line_up(page: Page, *labels: str) -> None:
    """Compare these models and no others."""
    chips(page).first.wait_for()
    add = page.locator(".st-key-add_to_line_up input")
    for count in range(chips(page).count(), 0, -1):
        chips(page).first.get_by_role("button").first.click()
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(chips(page)).to_have_count(count - 1)
    for number, label in enumerate(labels, start=1):
        add.click()
        page.get_by_role("option", name=re.compile(f"^{label} ")).click()
        expect(chips(page)).to_have_count(number)
        expect(chips(page).nth(number - 1)).to_contain_text(label)


def column(page: Page, place: int) -> Locator:
    """A column, from the left."""
    return page.locator('.st-key-compare_columns [class*="st-key-column_"]').nth(place)


def test_columns_stream_at_once_one_fails_one_is_stopped_and_a_reload_keeps_all(signed_in: Page) -> None:
    page = signed_in
    page.get_by_role("link", name="Compare").click()
    line_up(page, "Html", "Wrong key", "Steady")

    box(page).fill("Why is the sky blue?")
    expect(page.get_by_role("status", name="Estimated cost of this message")).to_contain_text("for 3 answers")
    box(page).press("Enter")

    for place in (0, 2):
        expect(column(page, place)).to_contain_text("word3")
        expect(column(page, place)).to_contain_text("answering")
    expect(column(page, 1)).to_contain_text("failed")
    column(page, 0).get_by_role("button", name="Stop", exact=True).click()
    expect(column(page, 0)).to_contain_text("stopped")
    expect(column(page, 2)).to_contain_text("answering")

    page.reload()
    expect(column(page, 0)).to_contain_text("stopped")
    expect(column(page, 0)).to_contain_text("word3")
    expect(column(page, 1)).to_contain_text("failed")
    expect(column(page, 2)).to_contain_text("word3")
    expect(column(page, 2)).to_contain_text("answering")
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(column(page, 2)).to_contain_text("answering")
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("button", name="Stop all").click()
    expect(column(second, 2)).to_contain_text("stopped")
    expect(column(page, 2)).to_contain_text("stopped")

    column(page, 2).get_by_role("button", name=re.compile("^Continue with this one")).click()
    expect(messages(page)).to_have_count(2)
    expect(messages(page).nth(0)).to_contain_text("Why is the sky blue?")
    expect(messages(page).nth(1)).to_contain_text("Steady · stopped")
    choose_model(page, "Swift")
    ask(page, "And at night?")
    wait_until_answered(page, 4)
    expect(messages(page).nth(3)).to_contain_text("A short answer.")


def test_three_models_are_tried_from_a_chat_and_the_best_becomes_its_branch(
    signed_in: Page, provider: ProviderServer
) -> None:
    page = signed_in
    choose_model(page, "Swift")
    ask(page, "Hello there")
    wait_until_answered(page, 2)
    asked = len(provider.requests)

    messages(page).nth(1).get_by_role("button", name="Answer again").click()
    page.get_by_role("menuitem", name="Try with three models").click()
    expect(box(page)).to_have_value("Hello there")
    expect(chips(page)).to_have_count(3)
    expect(chips(page).first).to_contain_text("Swift")
    assert len(provider.requests) == asked

    line_up(page, "Swift", "Wrong key")
    expect(box(page)).to_have_value("Hello there")
    box(page).press("Enter")
    expect(column(page, 0)).to_contain_text("A short answer.")
    column(page, 0).get_by_role("button", name="Continue with this one, as a branch of the chat").click()
    wait_until_answered(page, 2)
    expect(messages(page).nth(0)).to_contain_text("2/2")
    expect(messages(page).nth(1)).to_contain_text("A short answer.")
