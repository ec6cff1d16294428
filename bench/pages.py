"""`python -m bench.pages`: how long a page takes to be complete, over a small ledger and over a large one.

Two installations on the same pages of the same people, one with a thousand calls and one with a million, are opened in
turn in Chromium. A page is complete when its script has run and nothing has been put into it for a second.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import BrowserContext, Page

from bench import browser, ledger_rows, processes
from bench.ledger import build_folder
from bench.processes import Server
from core.accounts.session_secret import load_session_secret
from core.accounts.sessions import start_session, write_token
from core.accounts.users import User
from core.store.database import Database
from core.store.ledger_copy import LedgerCopy

TARGET = 1.2
_COOKIE = "switchboard_session"
_TIMEOUT_MS = 120_000
_COSTS = [
    f"/costs?{'' if tab == 'Overview' else f'tab={tab}&'}period={period}"
    for tab in ("Overview", "Explorer", "Reliability", "Replay", "Reconcile")
    for period in ("30d", "all")
]
PAGES = ("/", *_COSTS, "/models", "/ratings", "/admin")
# When something was last put into the page, and whether its script runs: in milliseconds since the navigation began.
_OBSERVER = """
window.__complete = {changed: 0, ran: false, running: true};
const state = () => document.querySelector('[data-test-script-state]')?.dataset.testScriptState;
new MutationObserver(changes => {
    const running = state() !== 'notRunning';
    const put = changes.some(change => change.type !== 'attributes' || running !== __complete.running);
    if (put) __complete.changed = performance.now();
    __complete.running = running;
    __complete.ran ||= running && state() === 'running';
}).observe(document, {
    childList: true, characterData: true, subtree: true, attributeFilter: ['data-test-script-state'],
});
"""
_COMPLETE = """
() => __complete.ran && !__complete.running && performance.now() - __complete.changed > 1000
    && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A server on its store, and a browser that is signed in there as its administrator."""

    rows: int
    server: Server
    context: BrowserContext


def main() -> int:
    """Build, open, print; 1 when a page takes more than 1.2 times as long, 0 also when there is no trace."""
    options = _options()
    trace = ledger_rows.find_trace()
    if trace is None:
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pages-")))
        chromium = stack.enter_context(browser.chromium())
        both = []
        for rows in (options.few, options.many):
            admin = build_folder(folder / str(rows), rows, trace)
            _make_copy(folder / str(rows))
            server = stack.enter_context(_running(folder / str(rows)))
            both.append(
                Installation(rows, server, _signed_in(chromium.new_context(), folder / str(rows), admin, server))
            )
        return _report(both, options.page or PAGES, repetitions=options.repetitions)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--few", type=int, default=1_000, help="calls in the small ledger")
    parser.add_argument("--many", type=int, default=1_000_000, help="calls in the large one")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument(
        "--page", action="append", metavar="PATH", help="open this page only, such as /costs?period=all"
    )
    return parser.parse_args()


def _make_copy(folder: Path) -> None:
    # It is there from the first start on; making one takes as long as its ledger is large, and is no page.
    with (
        closing(Database(f"duckdb:{folder / 'switchboard.duckdb'}")) as database,
        closing(LedgerCopy(database, folder / "ledger-copy.duckdb")) as copy,
    ):
        copy.refresh()


@contextmanager
def _running(folder: Path) -> Iterator[Server]:
    port = processes.free_port()
    env = {
        "SWITCHBOARD_PORT": str(port),
        "SWITCHBOARD_DATA_DIR": str(folder),
        "SWITCHBOARD_MODELS": str(folder / "models.yaml"),
        "SWITCHBOARD_LOCAL_MODEL": "off",
    }
    command = [sys.executable, "server.py"]
    server = processes.start(command, port=port, cwd=processes.ROOT, env=env, log=folder / "server.log")
    try:
        processes.wait_until_healthy(server)
        yield server
    finally:
        processes.stop(server)


def _signed_in(context: BrowserContext, folder: Path, admin: User, server: Server) -> BrowserContext:
    token = write_token(start_session(admin), secret=load_session_secret(folder))
    context.add_cookies([{"name": _COOKIE, "value": token, "url": f"http://127.0.0.1:{server.port}"}])
    context.add_init_script(script=_OBSERVER)
    return context


def _measure(both: Sequence[Installation], path: str, *, repetitions: int) -> Mapping[int, list[float]]:
    """Milliseconds by the rows of the ledger. In turn, so that both meet the same machine; the first only warms up."""
    times: dict[int, list[float]] = {one.rows: [] for one in both}
    for _ in range(repetitions + 1):
        for one in both:
            times[one.rows].append(_open(one, path))
    return {rows: found[1:] for rows, found in times.items()}


def _open(one: Installation, path: str) -> float:
    page = one.context.new_page()
    try:
        page.goto(f"http://127.0.0.1:{one.server.port}{path}", wait_until="commit")
        page.wait_for_function(_COMPLETE, polling=100, timeout=_TIMEOUT_MS)
        _refuse_what_is_no_page(page, path)
        return float(page.evaluate("__complete.changed"))
    finally:
        page.close()


def _refuse_what_is_no_page(page: Page, path: str) -> None:
    wrong = page.locator('[data-testid="stException"], [data-testid="stTextInputRootElement"] input[type="password"]')
    if wrong.count():
        raise RuntimeError(f"{path} shows an error or a form to sign in, and not the page")


def _report(both: Sequence[Installation], paths: Sequence[str], *, repetitions: int) -> int:
    few, many = (one.rows for one in both)
    print(f"medians (smallest to largest) of {repetitions} on {os.cpu_count()} cores, load as each page was measured\n")
    print(f"| page | {few:,} calls | {many:,} calls | ratio of medians | of the smallest | load |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    missed = []
    for path in paths:
        times = _measure(both, path, repetitions=repetitions)
        ratio = median(times[many]) / median(times[few])
        least, load = min(times[many]) / min(times[few]), os.getloadavg()[0]
        said = f"{_said(times[few])} | {_said(times[many])} | {ratio:.2f} x | {least:.2f} x | {load:.1f}"
        print(f"| {path} | {said} |", flush=True)
        missed += [path] if ratio > TARGET else []
    print(f"\nover the target of {TARGET} x: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def _said(times: Sequence[float]) -> str:
    return f"{median(times):,.0f} ms ({min(times):,.0f} to {max(times):,.0f})"


if __name__ == "__main__":
    sys.exit(main())
