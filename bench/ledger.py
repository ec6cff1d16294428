"""`python -m bench.ledger`: the ledger at a million rows and more.

The rows are made inside DuckDB from a trace of real calls (`ledger_rows.py`); without the trace there is nothing to
measure and the bench says so. `--build FOLDER` keeps a data folder that Switchboard can be started on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import ledger_rows
from bench.ledger_rows import Trace
from core.accounts.users import create_user
from core.clock import utc_now
from core.store.database import Database

TARGET_BYTES_A_ROW = 60
PASSWORD = "bench-password-1"  # noqa: S105 - of a throw-away installation on loopback


def main() -> int:
    """Build, measure, print; 1 when a target is missed, 0 also when there is no trace to measure with."""
    options = _options()
    trace = ledger_rows.trace_beside_the_repository()
    if trace.missing:
        print(f"Skipped: the trace is not there ({', '.join(str(path) for path in trace.missing)}).")
        return 0
    if options.build:
        options.build.mkdir(parents=True)
        _build(options.build, options.rows, trace).close()
        _prepare_to_start(options.build)
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        _build(Path(folder), options.rows, trace).close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="attempts in the ledger")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="make this data folder and measure nothing")
    return parser.parse_args()


def _build(folder: Path, rows: int, trace: Trace) -> Database:
    path = folder / "switchboard.duckdb"
    database, seconds = _timed(lambda: ledger_rows.build(path, rows=rows, until=utc_now(), trace=trace))
    size = path.stat().st_size
    print(f"{rows:,} attempts over {ledger_rows.DAYS} days in {seconds:.1f} s, {size / rows:.0f} bytes a row in all")
    return database


def _timed(work: Callable[[], Database]) -> tuple[Database, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def _prepare_to_start(folder: Path) -> None:
    database = Database(f"duckdb:{folder / 'switchboard.duckdb'}")
    create_user(database, username="admin", display_name="Administrator", password=PASSWORD, role="admin")
    database.close()
    (folder / "models.yaml").write_text(_registry(), encoding="utf-8")
    print(
        f"Start it with SWITCHBOARD_DATA_DIR={folder} SWITCHBOARD_MODELS={folder / 'models.yaml'} "
        f"and sign in as admin with {PASSWORD}"
    )


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
