"""A browser and whole servers for the tests that drive the app as a person does.

`server` is one server per test module with an administrator; `start` makes fresh ones. `page` is an empty
browser profile, not yet signed in; `open_profile` makes more.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.support.browsing import add_admin, empty_profile, keep_session
from tests.support.live_server import LiveServer, start_server

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP: ViewportSize = {"width": 1440, "height": 900}

# Only a test that fails waits so long; Playwright's five seconds are short on a machine that also does other work.
expect.set_options(timeout=15_000)

StartServer = Callable[..., LiveServer]
OpenProfile = Callable[..., Page]


def executable() -> str | None:
    """Where Chromium is on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: `-m "not browser"` leaves them out.

    One that fails is tried twice more, and the summary names it: hundreds of them share two processors with Chromium,
    and an unlucky moment of one must not hide what the others say. A defect fails each time.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=2))


# Of a module and not of the session: Playwright holds an event loop while it runs, and async tests of other folders
# could not start theirs.
@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    """Chromium without a window."""
    path = executable()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(name="start", scope="module")
def _start(tmp_path_factory) -> Iterator[StartServer]:
    """Start a server: `start(SWITCHBOARD_LOCAL_MODEL="on")`.

    `directory=` keeps or chooses its files, `admin=True` puts an administrator into a fresh store: creating one by hand
    takes seconds and has tests of its own.
    """
    running: list[LiveServer] = []

    def start(*, directory=None, admin=False, **options) -> LiveServer:
        directory = directory or tmp_path_factory.mktemp("switchboard")
        user = add_admin(directory / "data") if admin else None
        server = start_server(directory, **options)
        running.append(server)
        if user is not None:
            keep_session(server, user)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture(name="server", scope="module")
def _server(start: StartServer) -> LiveServer:
    """A server with an administrator, shared by the tests of a module."""
    return start(admin=True)


@pytest.fixture(name="kept_context", scope="module")
def _kept_context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile that is emptied after each test but for its cache: reading Streamlit's scripts anew takes seconds."""
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture(name="open_profile")
def _open_profile(browser: Browser, kept_context: BrowserContext) -> Iterator[OpenProfile]:
    """Open a page in a browser profile of its own; keyword arguments are Playwright's `new_context` options."""
    contexts: list[BrowserContext] = []

    def open_profile(**options) -> Page:
        plain = not options and kept_context not in contexts
        context = kept_context if plain else browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        return context.new_page()

    yield open_profile
    for context in contexts:
        if context is kept_context:
            empty_profile(context)
        else:
            context.close()


@pytest.fixture(name="page")
def _page(open_profile: OpenProfile) -> Page:
    """A page in an empty browser profile."""
    return open_profile()
