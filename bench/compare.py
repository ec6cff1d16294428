"""What drawing adds when several models answer side by side: `.venv/bin/python -m bench.compare`.

Four and eight columns at 50 tokens a second each, in Chromium: from Enter to the first token and to the last one of
every column, less the provider's own time; the gaps between repaints; the bytes to the browser. The worst column
counts. Ends with code 1 when a target is missed. About four minutes on a quiet machine; repetitions that other programs
disturbed are made again, as in `python -m bench`. `--quick` makes two and does not wait for a quiet moment.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench import browser, processes, provider
from bench.apps import Switchboard
from bench.provider import Expected, Provider, expected, model_name
from bench.stats import gaps, median, percentile

TOKENS, RATE = 300, 50
_USUAL, _QUICK = 5, 2
QUIET_CORES = 0.3
# Columns -> the most that the first tokens, and the last token of the last column, may come later, in ms.
TARGETS: dict[int, tuple[float, float | None]] = {4: (150, 200), 8: (250, None)}
_OBSERVER = Path(__file__).with_name("compare_observer.js").read_text(encoding="utf-8")
_PROMPT = "Say it"


@dataclass(frozen=True, slots=True)
class Run:
    """One comparison: added milliseconds of the worst column, the gaps between repaints, and kilobytes received.

    `asked_ms` is from Enter to the last request at the provider, before any first token.
    """

    asked_ms: float
    first_ms: float
    last_ms: float
    gap_p95_ms: float
    kilobytes: float
    others_cores: float


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    repetitions = _QUICK if parser.parse_args().quick else _USUAL
    # Names that differ by the first token's delay alone, so that each column has calls of its own.
    models = [model_name(TOKENS, rate=RATE, first_ms=200 + number) for number in range(max(TARGETS))]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, provider.running(Path(folder)) as upstream:
        app = Switchboard(Path(folder) / "ours", upstream)
        app.prepare(models=models)
        app.start()
        try:
            processes.wait_until_healthy(app.server)
            with browser.chromium() as chromium:
                results = {count: _measure(chromium, app, upstream, models[:count], repetitions) for count in TARGETS}
        finally:
            app.stop()
    print(f"load average {os.getloadavg()[0]:.1f}; median (smallest to largest) of {repetitions}, worst column")
    held = [_print(count, runs) for count, runs in results.items()]
    return 0 if all(held) else 1


def _measure(chromium: Browser, app: Switchboard, upstream: Provider, models: list[str], repetitions: int) -> list[Run]:
    runs: list[Run] = []
    with closing(chromium.new_context(viewport={"width": 1440, "height": 900})) as context:
        page = context.new_page()
        page.add_init_script(script=_OBSERVER)
        page.goto(browser.url(app, "/"))
        if page.get_by_label("Username").or_(page.locator(app.composer)).first.get_attribute("type") == "text":
            app.sign_in(page)
        _line_up(page, app, models)
        for number in range(2 * repetitions + 1):
            if repetitions == _USUAL:
                processes.wait_until_quiet(timeout_s=30)
            run = _once(page, app, upstream, models)
            # The first one warms up.
            runs += [run] if number else []
            if sum(found.others_cores <= QUIET_CORES for found in runs) == repetitions:
                break
    return sorted(runs, key=lambda found: found.others_cores)[:repetitions]


def _line_up(page: Page, app: Switchboard, models: list[str]) -> None:
    """Bring these models, and no others, into the line-up."""
    page.goto(browser.url(app, "/compare"))
    chips = page.locator('.st-key-line_up [class*="st-key-seat_"]')
    chips.first.wait_for()
    for left in range(chips.count() - 1, -1, -1):
        chips.first.get_by_role("button").first.click()
        page.get_by_role("button", name="Remove", exact=True).click()
        page.wait_for_function(
            "left => document.querySelectorAll('[class*=\"st-key-seat_\"]').length === left", arg=left
        )
    for number, model in enumerate(models, start=1):
        page.locator(".st-key-add_to_line_up input").click()
        page.get_by_role("option").filter(has_text=model).click()
        page.wait_for_function(
            "count => document.querySelectorAll('[class*=\"st-key-seat_\"]').length === count", arg=number
        )


def _once(page: Page, app: Switchboard, upstream: Provider, models: list[str]) -> Run:
    answer, before = expected(TOKENS), processes.usage()
    box = page.locator(app.composer)
    box.fill(_PROMPT)
    browser.settle(page)
    page.evaluate("expected => __compare.expect(expected)", _expectation(answer, len(models)))
    sent_s = time.time()
    box.press("Enter")
    browser.wait_for(page, "__compare.done()")
    seen = page.evaluate("__compare.seen()")
    used = processes.others_cores(before, processes.usage())
    browser.settle(page)
    page.get_by_role("button", name="New comparison").click()
    page.get_by_placeholder("Ask all of them").wait_for()
    calls = [upstream.call_after(model, sent_s) for model in models]
    columns = seen["columns"]
    pairs = list(zip(columns, calls, strict=True))
    return Run(
        asked_ms=max(call.received_at * 1000 - seen["acted"] for call in calls),
        first_ms=max(
            column["first"] - seen["acted"] - (call.first_token_at - call.received_at) * 1000 for column, call in pairs
        ),
        last_ms=max(
            column["last"] - seen["acted"] - (call.last_token_at - call.received_at) * 1000 for column, call in pairs
        ),
        gap_p95_ms=percentile([gap for column in columns for gap in gaps(column["changes"])], 0.95),
        kilobytes=seen["received"] / 1000,
        others_cores=used,
    )


def _expectation(answer: Expected, columns: int) -> dict[str, object]:
    return {"first": answer.first, "tail": answer.tail, "tailFrom": answer.tail_from, "columns": columns}


def _print(count: int, runs: list[Run]) -> bool:
    first_limit, last_limit = TARGETS[count]
    lines = [
        ("Enter to the last request (ms)", [run.asked_ms for run in runs], None),
        ("first tokens, added (ms)", [run.first_ms for run in runs], first_limit),
        ("last column's end, added (ms)", [run.last_ms for run in runs], last_limit),
        ("p95 gap between repaints (ms)", [run.gap_p95_ms for run in runs], None),
        ("bytes to the browser (kB)", [run.kilobytes for run in runs], None),
        ("processors kept busy by others", [run.others_cores for run in runs], None),
    ]
    held = True
    for name, values, limit in lines:
        ok = limit is None or median(values) <= limit
        held = held and ok
        target = "" if limit is None else f"   at most {limit:g}: {'ok' if ok else 'not ok'}"
        print(f"{count} columns  {name:<32} {median(values):8.1f} ({min(values):.1f} to {max(values):.1f}){target}")
    return held


if __name__ == "__main__":
    sys.exit(main())
