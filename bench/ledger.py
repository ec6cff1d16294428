"""`python -m bench.ledger`: the ledger at a million rows and more.

The rows are made inside DuckDB from a trace of real calls (`ledger_rows.py`); without the trace there is nothing to
measure and the bench says so. `--build FOLDER` keeps a data folder that Switchboard can be started on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bench import ledger_rows
from bench.ledger_copying import measure_copy
from bench.ledger_engines import compare
from bench.ledger_recording import READERS, SESSIONS, record_while_read
from bench.ledger_reports import Timed, measure
from bench.ledger_rows import Trace
from bench.stats import percentile
from core.accounts.users import User, create_user
from core.clock import utc_now
from core.store.database import Database
from core.store.ledger_copy import LedgerCopy
from core.store.reader import Reader
from ui.process import SWITCH_S

TARGET_BYTES_A_ROW = 60
TARGET_MS = 30.0
TARGET_MS_AT_10_MILLION = 250.0
TARGET_RECORDING_MS = 10.0
MANY = 2_000_000
PASSWORD = "bench-password-1"  # noqa: S105 - of a throw-away installation on loopback


def main() -> int:
    """Build, measure, print; 1 when a target is missed, 0 also when there is no trace to measure with."""
    options = _options()
    trace = ledger_rows.find_trace()
    if trace is None:
        return 0
    if options.build:
        build_folder(options.build, options.rows, trace)
        print(
            f"Start it with SWITCHBOARD_DATA_DIR={options.build} SWITCHBOARD_MODELS={options.build / 'models.yaml'} "
            f"and sign in as admin with {PASSWORD}"
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        database = _build(Path(folder), options.rows, trace)
        try:
            results = [*_measure(database, Path(folder), options), *_compare(database, Path(folder), options)]
        finally:
            database.close()
    return 0 if all(results) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="attempts in the ledger")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30, help="how long turns are recorded")
    parser.add_argument("--store", action="store_true", help="reports read the store itself, as without a copy")
    parser.add_argument("--alone", action="store_true", help="without SQLite and PostgreSQL")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="make this data folder and measure nothing")
    return parser.parse_args()


def _measure(database: Database, folder: Path, options: argparse.Namespace) -> list[bool]:
    target = TARGET_MS_AT_10_MILLION if options.rows > MANY else TARGET_MS
    size = bytes_a_row(database)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; the least of {options.repetitions} runs\n")
    print(f"bytes a row: {size:.1f} (target {TARGET_BYTES_A_ROW})")
    with closing(LedgerCopy(database, folder / "ledger-copy.duckdb")) as copy:
        fresh = measure_copy(database, copy, folder / "ledger-copy.duckdb", repetitions=options.repetitions)
        slow = _measure_reports(database if options.store else copy, database, options, target=target)
        p99 = _measure_recording(database, database if options.store else copy, options)
    return [size <= TARGET_BYTES_A_ROW, fresh, not slow, p99 <= TARGET_RECORDING_MS]


def _measure_reports(
    ledger: Reader, database: Database, options: argparse.Namespace, *, target: float
) -> Sequence[Timed]:
    found = measure(ledger, database, now=utc_now(), repetitions=options.repetitions)
    print(
        "\n| report | statements | slowest, by the clock | its busiest thread | on processors | all of it |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for report in found:
        slowest = report.slowest
        print(
            f"| {report.name} | {len(report.statements)} | {slowest.clock_ms:.1f} ms | {slowest.thread_ms:.1f} ms | "
            f"{slowest.processor_ms:.1f} ms | {report.total_ms:.1f} ms |"
        )
    slow = [report for report in found if report.slowest.clock_ms > target]
    print(f"\nover the target of {target:.0f} ms: {', '.join(report.name for report in slow) or 'none'}")
    busy = [report for report in slow if max(one.thread_ms for one in report.statements) > target]
    print(f"of those also where only the busiest thread counts: {', '.join(report.name for report in busy) or 'none'}")
    return slow


def _measure_recording(database: Database, ledger: Reader, options: argparse.Namespace) -> float:
    # As in the server: with Python's own 5 ms a turn waits so long each time it comes back from the store.
    sys.setswitchinterval(SWITCH_S)
    alone = record_while_read(database, ledger, seconds=options.seconds / 3, readers=0)
    samples = record_while_read(database, ledger, seconds=options.seconds, readers=READERS)
    p99 = percentile(samples, 0.99)
    print(
        f"recording {len(samples)} turns of {SESSIONS} sessions beside {READERS} readers: "
        f"p50 {percentile(samples, 0.5):.1f} ms, p99 {p99:.1f} ms (target {TARGET_RECORDING_MS:.0f}); "
        f"without readers p50 {percentile(alone, 0.5):.1f} ms, p99 {percentile(alone, 0.99):.1f} ms"
    )
    return p99


def bytes_a_row(database: Database) -> float:
    """What a row of the ledger takes in the file, by the blocks that hold it."""
    row = database.fetch_one(
        "select count(distinct block_id) * 262144.0 / (select count(*) from attempts) as size "
        "from pragma_storage_info('attempt_rows') where block_id is not null"
    )
    return float(row["size"]) if row else 0.0


def _compare(database: Database, folder: Path, options: argparse.Namespace) -> list[bool]:
    if options.alone:
        return []
    asked = compare(database, folder, now=utc_now(), repetitions=options.repetitions)
    print("\n| question | ours | SQLite | PostgreSQL |\n| --- | ---: | ---: | ---: |")
    for name, engines in asked.items():
        ours = engines["duckdb"]
        others = [
            f"{engines[other]:,.1f} ms, {engines[other] / ours:.0f} x" if other in engines else "not there"
            for other in ("sqlite", "postgresql")
        ]
        print(f"| {name} | {ours:.1f} ms | {' | '.join(others)} |")
    return []


def _build(folder: Path, rows: int, trace: Trace) -> Database:
    path = folder / "switchboard.duckdb"
    database, seconds = _timed(lambda: ledger_rows.build(path, rows=rows, until=utc_now(), trace=trace))
    size = path.stat().st_size
    print(f"{rows:,} attempts over {ledger_rows.DAYS} days in {seconds:.1f} s, {size / rows:.0f} bytes a row in all")
    return database


def _timed(work: Callable[[], Database]) -> tuple[Database, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def build_folder(folder: Path, rows: int, trace: Trace) -> User:
    """Make a data folder with so many attempts to start Switchboard on, and return its administrator."""
    folder.mkdir(parents=True)
    (folder / "models.yaml").write_text(_registry(), encoding="utf-8")
    with closing(_build(folder, rows, trace)) as database:
        return create_user(database, username="admin", display_name="Administrator", password=PASSWORD, role="admin")


def _registry() -> str:
    lines = ["providers:", "  bench: {kind: openai, api_base: http://127.0.0.1:9, api_key: none}", "models:"]
    for model in ledger_rows.models():
        lines += [f"  - id: {model['id']}", f"    call: bench/{model['id']}", *_price(model)]
    return "\n".join([*lines, ""])


def _price(model: Mapping[str, Any]) -> list[str]:
    if model["input"] is None:
        return []
    return [
        "    price: {" + ", ".join(f"{name}: {model[name]:f}" for name in ("input", "cached_input", "output")) + "}"
    ]


if __name__ == "__main__":
    sys.exit(main())
