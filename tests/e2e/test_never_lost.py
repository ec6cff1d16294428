"""A full disk and a lost connection: what was typed and what was answered is there afterwards.

A killed server is in test_lifecycle.py, two messages at a time and from two tabs in test_chat.py and
test_message_actions.py, a provider that breaks off in test_chat.py, signing out in tests/app/test_never_lost.py.
"""

from __future__ import annotations

import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.support.browsing import create_admin, open_signed_in
from tests.support.chatting import (
    ask,
    choose_model,
    composer,
    messages,
    stop_button,
    wait_until_answered,
    write_registry,
)
from tests.support.live_server import LiveServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

LONG = " ".join(f"word{number}" for number in range(90))


@pytest.fixture(name="server", scope="module")
def _server(start, browser, tmp_path_factory) -> Iterator[LiveServer]:
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        provider.behave("steady", say(LONG, tokens_per_second=30))
        registry = write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider)
        server = start(SWITCHBOARD_MODELS=str(registry))
        with browser.new_context() as context:
            create_admin(context.new_page(), server)
        yield server


@contextmanager
def full_disk(server: LiveServer) -> Iterator[None]:
    """No file of the server's can grow, as on a disk that is full."""
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
def test_a_disk_that_fills_up_in_mid_answer_loses_nothing(page: Page, server: LiveServer) -> None:
    open_signed_in(page, server)
    choose_model(page, "Steady")
    ask(page, "Is there room?")
    expect(messages(page).nth(1)).to_contain_text("word3")

    with full_disk(server):
        wait_until_answered(page, 2)
        expect(messages(page).nth(1)).to_contain_text("word89")
        expect(messages(page).nth(1)).to_contain_text("could not be saved")
        ask(page, "And for this?")
        expect(page.get_by_text("Your message could not be stored.")).to_be_visible()
        expect(composer(page)).to_have_value("And for this?")

    choose_model(page, "Swift")
    composer(page).press("Enter")
    wait_until_answered(page, 4)
    page.reload()
    expect(messages(page)).to_have_count(4)
    expect(messages(page).nth(1)).to_contain_text("word89")
    expect(messages(page).nth(2)).to_contain_text("And for this?")
    expect(messages(page).nth(3)).to_contain_text("A short answer.")


class Line:
    """The page's connection to its server, which can be cut and mended."""

    def __init__(self, page: Page) -> None:
        self.cut_off = False
        self._open: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/_stcore/stream"), self._connect)

    def cut(self) -> None:
        self.cut_off = True
        for route in self._open:
            route.close()
        self._open.clear()

    def mend(self) -> None:
        self.cut_off = False

    def _connect(self, route: WebSocketRoute) -> None:
        if self.cut_off:
            route.close()
            return
        route.connect_to_server()
        self._open.append(route)


def test_a_connection_that_is_lost_in_mid_answer_loses_nothing(page: Page, server: LiveServer) -> None:
    line = Line(page)
    open_signed_in(page, server)
    choose_model(page, "Steady")
    ask(page, "Are you there?")
    expect(messages(page).nth(1)).to_contain_text("word3")

    composer(page).fill("Typed before")
    line.cut()
    # Streamlit offers no box while it is away.
    expect(composer(page)).to_be_disabled()
    line.mend()

    expect(messages(page).nth(1)).to_contain_text("word89", timeout=30_000)
    expect(stop_button(page)).to_have_count(0)
    expect(composer(page)).to_have_value("Typed before")
    composer(page).press("Enter")
    wait_until_answered(page, 4)
