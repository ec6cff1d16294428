"""A model that calls tools, in Chromium: the step is shown, the answer uses it, a reload shows the same."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import choose_model, composer, messages, wait_until_answered, write_registry
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import call, say
from tests.support.provider_server import ProviderServer

COUNTER = (
    "\n  - {id: counter, call: loop/counter, label: Counter, price: {input: 3, output: 6}, "
    "capabilities: [tools, reasoning]}\n"
)
SALES = {"name": "sales.csv", "mimeType": "text/csv", "buffer": b"city,amount\nBerlin,2\nParis,3\nBerlin,4\n"}
SQL = "select city, sum(amount) as total from data group by city order by total desc"
USAGE = {"completion_tokens_details": {"reasoning_tokens": 3}}


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        thinking = {"reasoning": ("Let", " me", " count."), "extra_usage": USAGE}
        asked = call(("query_csv", json.dumps({"sql": SQL})), tokens=("I", " add", " them", " up."), **thinking)
        provider.behave("counter", asked, say("Berlin sold most: **6**."))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
    registry.write_text(registry.read_text() + COUNTER)
    return start(SWITCHBOARD_MODELS=str(registry), admin=True)


def step(page: Page) -> Locator:
    return messages(page).get_by_test_id("stExpander").filter(has_text="Query a CSV")


def test_a_query_over_a_file_is_shown_as_a_step_and_kept(page: Page, server: LiveServer, provider) -> None:
    open_signed_in(page, server)
    composer(page).wait_for()
    choose_model(page, "Counter")
    page.locator('[data-testid="stChatInput"] input[type="file"]').set_input_files([SALES])
    expect(page.get_by_role("button", name="Remove sales.csv")).to_be_visible()
    expect(page.get_by_test_id("stChatInput").get_by_role("progressbar")).to_have_count(0)
    composer(page).fill("Which city sold most?")
    composer(page).press("Enter")
    wait_until_answered(page, 2)

    expect_the_answer(page)
    first, second = provider.requests[-2:]
    assert "query_csv" in [tool["function"]["name"] for tool in first.body["tools"]]
    assert second.body["messages"][-1] == {
        "role": "tool",
        "tool_call_id": second.body["messages"][-2]["tool_calls"][0]["id"],
        "content": "city,total\nBerlin,6\nParis,3\n(2 rows)",
    }

    page.reload()
    expect_the_answer(page)
    step(page).locator("summary").click()
    expect(step(page).get_by_text("city,total")).to_be_visible()
    expect(step(page).get_by_text("from data group by city")).not_to_have_count(0)


def expect_the_answer(page: Page) -> None:
    answer = messages(page).nth(1)
    expect(answer.get_by_text("Berlin sold most: 6.")).to_be_visible()
    expect(answer.get_by_text("I add them up.")).to_be_visible()
    expect(answer.get_by_text("Thought for")).to_be_visible()
    expect(step(page)).to_have_count(1)
    expect(step(page).locator("summary")).to_contain_text(" s")


def test_tools_are_switched_off_for_a_conversation(page: Page, server: LiveServer, provider) -> None:
    open_signed_in(page, server)
    composer(page).wait_for()
    choose_model(page, "Counter")
    page.get_by_role("button", name="Parameters").click()
    switch = page.get_by_role("switch", name="Tools").or_(page.get_by_role("checkbox", name="Tools"))
    expect(switch).to_be_checked()
    switch.locator("xpath=ancestor::label").click()
    expect(switch).not_to_be_checked()
    page.keyboard.press("Escape")
    composer(page).fill("Hello")
    composer(page).press("Enter")
    wait_until_answered(page, 2)

    assert "tools" not in provider.requests[-1].body
