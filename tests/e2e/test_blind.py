"""A blind vote as a person casts it: nothing in the page or its address tells who answers before the vote."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import composer, write_registry
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

ANSWER = "Because blue light is scattered more than red."
# Labels, ids, upstream names and the provider of `write_registry`, as words of their own.
NAMES = re.compile(r"\b(?:Swift|Html|Steady|Away|loop|wrong-?key)\b", re.IGNORECASE)


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        for name in ("swift", "html"):
            provider.behave(name, say(ANSWER, tokens_per_second=30))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(start, provider, tmp_path_factory) -> LiveServer:
    registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
    text = registry.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "- {id:" not in line or "id: swift," in line or "id: html," in line]
    registry.write_text("\n".join(kept).replace("context_tokens", "use_cases: [coding], context_tokens"), "utf-8")
    return start(SWITCHBOARD_MODELS=str(registry), admin=True)


def told(page: Page) -> str:
    """All that a person, a screen reader or somebody who reads the markup gets, and the address."""
    # Scripts and styles are the same for everybody; `html` as a tag's name is not a model's.
    markup = page.evaluate("document.querySelector('[data-testid=stMain]').innerHTML + document.title")
    return re.sub(r"stHtml|data-[a-z-]*html", "", markup) + page.url


def test_two_models_stay_hidden_until_the_vote_and_are_named_after_it(page: Page, server: LiveServer) -> None:
    open_signed_in(page, server)
    composer(page).wait_for()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("link", name="Blind votes").click()
    page.get_by_text("Use cases with blind votes").click()
    page.get_by_role("button", name="coding").click()
    box = page.get_by_placeholder("Ask two hidden models")
    expect(box).to_be_enabled()
    box.fill("Why is the sky blue?")
    box.press("Enter")

    vote = page.get_by_role("button", name="A is better")
    vote.wait_for()
    assert page.get_by_text(ANSWER).count() == 2
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    assert not NAMES.findall(told(page))
    page.reload()
    vote.wait_for()
    assert not NAMES.findall(told(page))

    page.get_by_label("Why?").fill("It is shorter.")
    vote.click()
    expect(page.get_by_text("You preferred A. Thank you")).to_be_visible()
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("Swift", exact=True)).to_be_visible()
    expect(main.get_by_text("Html", exact=True)).to_be_visible()
    expect(main.get_by_text("tok/s").first).to_be_visible()
    page.get_by_role("link", name="Ratings").click()
    expect(page.get_by_text("no model has 10 yet")).to_be_visible()
