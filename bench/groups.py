"""The measures, one function per group: each prepares and starts the application, warms it up and returns samples."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TypeVar

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as BrowserError
from websockets.exceptions import WebSocketException

from bench import browser, history, processes, websocket
from bench.apps import App
from bench.browser import Reply
from bench.catalog import Samples
from bench.provider import Call, Expected, Provider, expected, model_name
from bench.stats import gaps, percentile

SESSIONS = 20
MODEL_COUNTS = (5, 50, 500)
QUIET_CORES = 0.15
_SESSION_TOKENS = 500
_SHORT = 50
_SETTLED_S = 8.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measure needs."""

    chromium: Browser
    provider: Provider
    repetitions: int
    wait_s: float
    say: Callable[[str], None]

    @property
    def tries(self) -> int:
        """The most repetitions there will be, disturbed ones included."""
        return 2 * self.repetitions

    def repeat(self, measure: Callable[[], T], *, app: App) -> list[T]:
        """Warm up, then measure until enough repetitions were undisturbed, else keep the least disturbed ones."""
        self._attempt(measure, app)
        results: list[tuple[float, int, T]] = []
        for number in range(self.tries):
            processes.wait_until_quiet(timeout_s=self.wait_s)
            before = processes.usage()
            if (result := self._attempt(measure, app)) is not None:
                results.append((processes.others_cores(before, processes.usage()), number, result))
            if sum(others <= QUIET_CORES for others, _, _ in results) == self.repetitions:
                break
        kept = sorted(results, key=itemgetter(0, 1))[: self.repetitions]
        if kept and kept[-1][0] > QUIET_CORES:
            self.say(f"  disturbed: other programs kept up to {kept[-1][0]:.2f} cores busy")
        return [result for _, _, result in kept]

    def _attempt(self, measure: Callable[[], T], app: App) -> T | None:
        try:
            return measure()
        except (BrowserError, WebSocketException, TimeoutError) as error:
            # One page that never gets ready must not cost the figures of half an hour; it is said, never hidden.
            self.say(f"  FAILED: {error}\n  the server printed: {app.server.log.read_text(encoding='utf-8')[-1000:]}")
            return None


def start(bench: Bench, app: App) -> Samples:
    """Process start to usable composer: on a fresh installation in a fresh browser, then once more on both.

    Where there is a sign-in, the first start includes filling in its form; the second is signed in already.
    """

    def both() -> tuple[float, float]:
        app.prepare(models=[model_name(_SHORT, rate=50)])
        with _context(bench) as context:
            return _start_once(app, context, first=True), _start_once(app, context, first=False)

    pairs = bench.repeat(both, app=app)
    return {"first_start": [first for first, _ in pairs], "second_start": [second for _, second in pairs]}


def load(bench: Bench, app: App) -> Samples:
    """Navigation to usable composer on a warm server; with 100 messages also until the last of them is shown."""
    samples: Samples = defaultdict(list)
    app.prepare(models=[model_name(_SHORT, rate=50)], histories=1)
    with _running(app), _signed_in(bench, app) as context:
        for key, number in (("load_empty", None), ("load_100", 0)):
            samples[key] = bench.repeat(partial(_load_once, context, app, number), app=app)
    return samples


def first_token(bench: Bench, app: App) -> Samples:
    """Enter to the frame that shows the first token, less the time the provider took from request to first token."""
    samples: Samples = defaultdict(list)
    model, answer = model_name(_SHORT, rate=50), expected(_SHORT)
    # A conversation is asked once: afterwards it is longer, and holds an answer that could be taken for the next.
    app.prepare(models=[model], histories=bench.tries + 1)
    with _running(app), _signed_in(bench, app) as context:
        numbers = itertools.count()
        ask = partial(_ask_once, bench, app, context, model=model, text=answer)
        for suffix, asking in (("empty", partial(ask, number=None)), ("100", lambda: ask(number=next(numbers)))):
            for reply, call in bench.repeat(asking, app=app):
                own_ms = (call.first_token_at - call.received_at) * 1000
                samples[f"first_token_{suffix}"].append(reply.first_frame - reply.sent - own_ms)
                samples[f"asked_{suffix}"].append(call.received_at * 1000 - reply.sent)
                samples[f"first_change_{suffix}"].append(reply.first - reply.sent - own_ms)
    return samples


def answer(bench: Bench, app: App) -> Samples:
    """Long answers at 200 tokens a second: how late the end is, and what they cost the browser."""
    samples: Samples = defaultdict(list)
    for tokens in (500, 4000):
        model, text = model_name(tokens, rate=200), expected(tokens)
        app.prepare(models=[model])
        with _running(app), _signed_in(bench, app) as context:
            ask = partial(_ask_once, bench, app, context, model=model, text=text, number=None)
            for reply, call in bench.repeat(ask, app=app):
                samples[f"end_lag_{tokens}"].append(reply.last - call.last_token_at * 1000)
                samples[f"main_thread_{tokens}"].append(reply.main_thread_s)
                samples[f"processor_{tokens}"].append(reply.processor_s)
                samples[f"script_{tokens}"].append(reply.script_s)
                samples[f"received_{tokens}"].append(reply.received_bytes / 1000)
    return samples


def switch(bench: Bench, app: App) -> Samples:
    """The click on another model to the end of the script run, in an empty conversation."""
    models = [model_name(_SHORT, rate=50), model_name(_SHORT, rate=100)]
    app.prepare(models=models)
    with _running(app), _signed_in(bench, app) as context:
        page = browser.observed_page(context, app)
        browser.load(page, browser.url(app, app.path()))
        turns = itertools.cycle(reversed(models))
        return {"switch": bench.repeat(lambda: _switch_once(page, app, next(turns)), app=app)}


def switch_among(bench: Bench, app: App) -> Samples:
    """The same among 5, 50 and 500 models, back and forth between the first two of them."""
    samples: Samples = {}
    for count in MODEL_COUNTS:
        # Rates of four digits: no name is the beginning of another.
        models = [model_name(_SHORT, rate=1000 + number) for number in range(count)]
        app.prepare(models=models)
        with _running(app), _signed_in(bench, app) as context:
            page = browser.observed_page(context, app)
            browser.load(page, browser.url(app, app.path()))
            turns = itertools.cycle([models[1], models[0]])
            samples[f"switch_{count}"] = bench.repeat(partial(_switch_to_next, page, app, turns), app=app)
    return samples


def sessions(bench: Bench, app: App) -> Samples:
    """Twenty answers of 50 tokens a second at once: tokens a second over all, and the gaps between pieces of text."""
    samples: Samples = defaultdict(list)
    app.prepare(models=[model_name(_SESSION_TOKENS, rate=50)])
    with _running(app), _signed_in(bench, app) as context:
        headers = _cookie_header(context)
        for streams in bench.repeat(partial(_twenty, app, headers), app=app):
            samples["sessions_speed"].append(websocket.speed(streams, _SESSION_TOKENS))
            all_gaps = [gap for stream in streams for gap in gaps(stream.arrivals)]
            samples["sessions_gap"].append(percentile(all_gaps, 0.95) * 1000)
            first = [stream.arrivals[0] - stream.sent for stream in streams]
            samples["sessions_first"].append(percentile(first, 0.95) * 1000)
    return samples


def memory(bench: Bench, app: App) -> Samples:
    """Resident memory of the server and its children, some seconds after one page was opened."""
    app.prepare(models=[model_name(_SHORT, rate=50)])

    def settled() -> float:
        with _running(app):
            with _signed_in(bench, app):
                pass
            time.sleep(_SETTLED_S)
            return processes.resident_mb(app.server.process.pid)

    return {"memory_idle": bench.repeat(settled, app=app)}


RUN: dict[str, Callable[[Bench, App], Samples]] = {
    "start": start,
    "load": load,
    "first-token": first_token,
    "answer": answer,
    "switch": switch,
    "switch-among": switch_among,
    "sessions": sessions,
    "memory": memory,
}


@contextmanager
def _running(app: App) -> Iterator[None]:
    app.start()
    try:
        processes.wait_until_healthy(app.server)
        yield
    finally:
        app.stop()


@contextmanager
def _context(bench: Bench) -> Iterator[BrowserContext]:
    context = bench.chromium.new_context(viewport={"width": 1440, "height": 900})
    try:
        yield context
    finally:
        context.close()


@contextmanager
def _signed_in(bench: Bench, app: App) -> Iterator[BrowserContext]:
    with _context(bench) as context:
        with closing(browser.observed_page(context, app)) as page:
            page.goto(browser.url(app, app.path()), wait_until="commit")
            if app.needs_sign_in:
                app.sign_in(page)
            browser.wait_for(page, "window.__bench?.usable")
            browser.settle(page)
        yield context


def _start_once(app: App, context: BrowserContext, *, first: bool) -> float:
    began = time.time()
    app.start()
    try:
        processes.wait_until_healthy(app.server)
        with closing(browser.observed_page(context, app)) as page:
            page.goto(browser.url(app, app.path()), wait_until="commit")
            if first and app.needs_sign_in:
                app.sign_in(page)
            browser.wait_for(page, "window.__bench?.usable")
            usable = page.evaluate("__bench.usable")
            browser.settle(page)
        return float(usable) / 1000 - began
    finally:
        app.stop()


def _load_once(context: BrowserContext, app: App, number: int | None) -> float:
    shown = "" if number is None else history.last_words()
    with closing(browser.observed_page(context, app, shown=shown)) as page:
        started, usable = browser.load(page, browser.url(app, app.path(history=number)))
    return usable - started


def _ask_once(
    bench: Bench, app: App, context: BrowserContext, *, model: str, text: Expected, number: int | None
) -> tuple[Reply, Call]:
    shown = "" if number is None else history.last_words()
    with closing(browser.observed_page(context, app, shown=shown)) as page:
        browser.load(page, browser.url(app, app.path(history=number)))
        reply = browser.ask(page, app, "Question 1?", text)
    return reply, bench.provider.call_after(model, reply.sent / 1000)


def _switch_once(page: Page, app: App, model: str) -> float:
    app.choose_model(page, model)
    browser.wait_for(page, "__bench.ready")
    acted, ready = page.evaluate("[__bench.acted, __bench.ready]")
    browser.settle(page)
    return float(ready - acted)


def _switch_to_next(page: Page, app: App, turns: Iterator[str]) -> float:
    return _switch_once(page, app, next(turns))


def _cookie_header(context: BrowserContext) -> dict[str, str]:
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())
    return {"Cookie": cookies} if cookies else {}


def _twenty(app: App, headers: dict[str, str]) -> list[websocket.Stream]:
    work = websocket.sessions(
        f"127.0.0.1:{app.server.port}",
        count=SESSIONS,
        prompt="Question 1?",
        answer=expected(_SESSION_TOKENS).source,
        headers=headers,
    )
    # Playwright's synchronous interface occupies this thread's event loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
