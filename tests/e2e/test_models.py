"""The Models page as an administrator uses it, against a provider on loopback."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import open_signed_in
from tests.support.chatting import composer, write_registry
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

HEADER_PX = ROW_PX = 35
MARKER_PX = 18


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory) -> LiveServer:
    with ProviderServer() as provider:
        provider.behave("swift", say("Hello"))
        registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
        server = start(SWITCHBOARD_MODELS=str(registry), admin=True)
        yield server


@pytest.fixture(name="models")
def _models(page: Page, server: LiveServer) -> Page:
    """The Models page, signed in."""
    open_signed_in(page, server)
    composer(page).wait_for()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    wait_for_rows(page, 11)
    return page


def wait_for_rows(page: Page, count: int) -> None:
    """Wait until the table holds that many models. It is a canvas; its contents for screen readers say so."""
    table = page.get_by_test_id("stDataFrame").get_by_role("grid", include_hidden=True)
    expect(table).to_have_attribute("aria-rowcount", str(count + 1))


def tick(page: Page, number: int) -> None:
    """Tick a row of the table, counted from 0: rows are places on the canvas."""
    position = {"x": MARKER_PX, "y": HEADER_PX + number * ROW_PX + ROW_PX // 2}
    page.locator(".dvn-scroller").click(position=position)


def test_ticked_models_are_shown_and_compared_and_ticks_outlive_a_filter(models: Page) -> None:
    tick(models, 0)
    expect(models.get_by_role("heading", name="Swift")).to_be_visible()
    tick(models, 1)
    expect(models.get_by_role("heading", name="Compare 2 models")).to_be_visible()

    models.get_by_role("textbox", name="Search").fill("limited")
    models.get_by_role("textbox", name="Search").press("Enter")
    wait_for_rows(models, 1)
    tick(models, 0)

    expect(models.get_by_role("heading", name="Compare 3 models")).to_be_visible()
    expect(models.get_by_role("columnheader", name="Limited")).to_be_visible()
    models.get_by_role("button", name="Clear ticks").click()
    expect(models.get_by_role("heading", name="Compare")).to_have_count(0)


def test_a_model_that_is_switched_off_leaves_the_chat(models: Page) -> None:
    tick(models, 2)
    expect(models.get_by_role("heading", name="Html")).to_be_visible()
    models.get_by_text("Switched on", exact=True).click()
    models.get_by_role("button", name="Save", exact=True).click()
    expect(models.get_by_text("Differs from the registry: switched on.")).to_be_visible()

    models.get_by_role("link", name="Chat").click()
    composer(models).wait_for()
    selector = models.get_by_role("combobox", name="Model", exact=True)
    selector.click()
    expect(models.get_by_role("option").filter(has_text="Swift")).to_be_visible()
    selector.fill("Html")
    expect(models.get_by_role("option").filter(has_text="Swift")).to_have_count(0)
    expect(models.get_by_role("option").filter(has_text="Html")).to_have_count(0)
    models.get_by_role("link", name="Models").click()
    expect(models.get_by_test_id("stDataFrame")).to_be_visible()
    expect(models.get_by_text("Differs from the registry: switched on.")).to_be_visible()
    models.get_by_role("button", name="Back to the registry").click()
    expect(models.get_by_text("Differs from the registry")).to_have_count(0)
