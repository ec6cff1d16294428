"""Chromium: pages with the observer in them, and one question asked on such a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from bench.apps import App
from bench.provider import Expected

_EXECUTABLE = "/usr/bin/chromium"
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_OBSERVER = Path(__file__).with_name("observer.js").read_text(encoding="utf-8")
# Asked for on a timer: Playwright's default asks at every frame and would be part of what is measured.
_POLL_MS = 100
_TIMEOUT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as the browser saw it. Times in Unix milliseconds, the main thread's in seconds."""

    sent: float
    first: float
    first_frame: float
    last: float
    received_bytes: int
    main_thread_s: float
    processor_s: float
    script_s: float


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium that lives as long as the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_EXECUTABLE, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def observed_page(context: BrowserContext, app: App, *, shown: str = "") -> Page:
    """A page that notes when the composer is usable and the text `shown` is there."""
    page = context.new_page()
    page.set_default_timeout(_TIMEOUT_MS)
    config = json.dumps({"composer": app.composer, "answer": app.answer, "shown": shown})
    page.add_init_script(script=f"window.__benchConfig = {config};\n{_OBSERVER}")
    return page


def url(app: App, path: str) -> str:
    """The address of a path of the application."""
    return f"http://127.0.0.1:{app.server.port}{path}"


def wait_for(page: Page, condition: str) -> None:
    """Block until a JavaScript expression is true."""
    page.wait_for_function(condition, polling=_POLL_MS, timeout=_TIMEOUT_MS)


def load(page: Page, address: str) -> tuple[float, float]:
    """Open an address; the navigation's start and the moment the composer was usable, in Unix milliseconds."""
    page.goto(address, wait_until="commit")
    wait_for(page, "window.__bench?.usable")
    started, usable = page.evaluate("[performance.timeOrigin, __bench.usable]")
    settle(page)
    return started, usable


def settle(page: Page) -> None:
    """Block until the script run is over and half a second has passed, so that late loading is not measured."""
    wait_for(page, "document.querySelector('[data-test-script-state]').dataset.testScriptState === 'notRunning'")
    page.wait_for_timeout(500)


def ask(page: Page, app: App, prompt: str, answer: Expected) -> Reply:
    """Send a prompt and wait for the whole answer and the end of the script run."""
    expectation = {"first": answer.first, "tail": answer.tail, "tailFrom": answer.tail_from}
    page.locator(app.composer).fill(prompt)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    before = _metrics(devtools)
    page.evaluate("expected => __bench.expect(expected)", expectation)
    page.locator(app.composer).press("Enter")
    wait_for(page, "__bench.last && __bench.firstFrame")
    settle(page)
    after = _metrics(devtools)
    devtools.detach()
    return _reply(page.evaluate("({...__bench, expected: null})"), before, after)


def _metrics(devtools: CDPSession) -> dict[str, float]:
    return {entry["name"]: entry["value"] for entry in devtools.send("Performance.getMetrics")["metrics"]}


def _reply(seen: dict[str, Any], before: dict[str, float], after: dict[str, float]) -> Reply:
    return Reply(
        sent=seen["acted"],
        first=seen["first"],
        first_frame=seen["firstFrame"],
        last=seen["last"],
        received_bytes=seen["received"],
        main_thread_s=after["TaskDuration"] - before["TaskDuration"],
        processor_s=after["ThreadTime"] - before["ThreadTime"],
        script_s=after["ScriptDuration"] - before["ScriptDuration"],
    )
