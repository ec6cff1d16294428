"""The cost pages as people use them: what a chat took arrives, a click goes down to the call and back to the chat."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import create_admin, open_signed_in
from tests.support.chatting import ask, composer, messages, wait_until_answered, write_registry
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

# A table is a canvas: its rows are places on it.
FIRST_ROW = {"x": 18, "y": 35 + 17}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(name="server", scope="module")
def _server(start, browser, tmp_path_factory) -> LiveServer:
    """A server whose administrator has asked one question."""
    with ProviderServer() as provider:
        provider.behave("swift", say("Hello"))
        registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
        server = start(SWITCHBOARD_MODELS=str(registry))
        with browser.new_context() as context:
            page = context.new_page()
            create_admin(page, server)
            ask(page, "What does this cost?")
            wait_until_answered(page, 2)
        yield server


def open_costs(page: Page, server: LiveServer, query: str = "") -> None:
    """Open the cost pages signed in, at an address of theirs."""
    open_signed_in(page, server)
    composer(page).wait_for()
    page.goto(f"{server.url}/costs{query}")
    expect(page.get_by_role("heading", name="Costs")).to_be_visible()


def tables(page: Page) -> Locator:
    """The tables on show."""
    return page.get_by_test_id("stDataFrame")


def test_what_a_chat_took_is_on_the_overview(page: Page, server: LiveServer) -> None:
    open_costs(page, server)

    expect(page.get_by_role("heading", name=re.compile(r"^\$\S+ in 1 call$"))).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    expect(page.get_by_test_id("stMetric").filter(has_text="Today").first).to_contain_text("$0.0")


def test_a_group_leads_to_its_calls_and_a_call_to_its_conversation(page: Page, server: LiveServer) -> None:
    open_costs(page, server, "?tab=Explorer&by=model&then=nothing")

    tables(page).first.locator(".dvn-scroller").click(position=FIRST_ROW)
    expect(page.get_by_role("heading", name=re.compile("^Calls: "))).to_be_visible()
    tables(page).nth(1).locator(".dvn-scroller").click(position=FIRST_ROW)
    page.get_by_role("button", name="Open the conversation").click()

    expect(messages(page).first).to_contain_text("What does this cost?")


def test_the_filter_and_the_tab_stand_in_the_address(page: Page, server: LiveServer) -> None:
    open_costs(page, server, "?period=7d")
    page.get_by_role("tab", name="Reliability").click()
    expect(page.get_by_text("No call failed.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"period=7d.*tab=Reliability|tab=Reliability.*period=7d"))

    page.get_by_text("Mine", exact=True).click()
    expect(page).to_have_url(re.compile("person="))
    page.reload()

    expect(page.get_by_text("No call failed.")).to_be_visible()
    expect(page.get_by_role("button", name="Clear", exact=True)).to_be_visible()


def test_nothing_is_cut_off_on_a_phone(open_profile, server: LiveServer) -> None:
    page = open_profile(viewport=PHONE)
    open_costs(page, server)

    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["x"] + box["width"] <= PHONE["width"]
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= PHONE["width"]
