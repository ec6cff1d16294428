"""`python -m bench`: measure the plain chat and Switchboard in one run and print the table."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import browser, groups, provider, table
from bench.apps import App, PlainApp, Switchboard
from bench.catalog import GROUPS, Samples, chosen, with_ratios


def main() -> int:
    """Run what the command line asks for; 1 when a target is missed."""
    # So that a bench that is ended from outside ends its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = _options()
    selected = options.only or list(GROUPS)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        results = _measure(Path(folder), selected, options)
    print(_heading(options.repetitions), table.render(chosen(selected), results), sep="\n\n")
    if options.json:
        options.json.write_text(json.dumps({"at": time.time(), "results": results}, indent=1), encoding="utf-8")
    missed = table.missed(chosen(selected), results)
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two repetitions instead of five")
    parser.add_argument("--only", action="append", choices=GROUPS, metavar="NAME", help=f"one of {', '.join(GROUPS)}")
    parser.add_argument("--app", action="append", choices=["plain", "ours"], help="measure one application only")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write every sample to this file")
    parser.add_argument(
        "--wait", type=float, default=60, metavar="S", help="longest wait for a quiet machine, each time"
    )
    options = parser.parse_args()
    options.repetitions = 2 if options.quick else 5
    return options


def _measure(folder: Path, selected: Sequence[str], options: argparse.Namespace) -> dict[str, Samples]:
    with provider.running(folder) as upstream:
        apps: list[App] = [PlainApp(folder / "plain", upstream), Switchboard(folder / "ours", upstream)]
        apps = [app for app in apps if not options.app or app.name in options.app]
        results: dict[str, Samples] = {app.name: {} for app in apps}
        for group in selected:
            for app in apps:
                _say(f"{group}: {app.name}")
                # A browser of its own, so that no measure inherits what another left in one.
                with browser.chromium() as chromium:
                    bench = groups.Bench(chromium, upstream, options.repetitions, options.wait, _say)
                    results[app.name].update(groups.RUN[group](bench, app))
    return {name: with_ratios(samples) for name, samples in results.items()}


def _heading(repetitions: int) -> str:
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {cores} cores, {memory:.0f} GiB, "
        f"load average {os.getloadavg()[0]:.1f}; median (smallest to largest) of {repetitions}"
    )


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
