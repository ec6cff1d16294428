"""The command line: `python -m core backup`, `restore`, `doctor`, `usage import`, `demo`, `store copy` and `tokens`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.cli_demo import add_demo_command
from core.cli_store import add_store_command
from core.cli_tokens import add_tokens_command
from core.cli_usage import add_usage_command
from core.clock import Clock, utc_now
from core.doctor import examine
from core.errors import StoreError, StoreLocked, SwitchboardError
from core.settings import load_settings
from core.store.maintenance import back_up, open_existing, store_file
from core.store.restoring import put_back

_MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, 1 when the command found or met something wrong."""
    os.umask(0o077)  # a backup holds what the store holds
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SwitchboardError as error:
        print(error, file=sys.stderr)
        return 1


def backup(path: Path | None, *, clock: Clock = utc_now) -> int:
    """Copy the store to `path`, by default into the data folder. Raises SwitchboardError."""
    settings = load_settings()
    target = path or settings.data_dir / "backups" / f"switchboard-{clock():%Y%m%d-%H%M%S}.duckdb"
    try:
        database = open_existing(settings.store_url)
    except StoreLocked as error:
        raise StoreLocked(
            "A running Switchboard holds the store, so no consistent copy can be made.",
            next_step="Stop it, run the backup again, and start it.",
            detail=error.detail,
        ) from error
    try:
        done = back_up(database, target)
    finally:
        database.close()
    print(f"Wrote {done.path}: {sum(done.rows.values()):,} rows in {len(done.rows)} tables, compared with the store.")
    return 0


def restore(path: Path, *, clock: Clock = utc_now) -> int:
    """Put the backup at `path` in the place of the store. Raises SwitchboardError."""
    settings = load_settings()
    file = store_file(settings.store_url)
    if file is None:
        raise StoreError(
            "The store is a PostgreSQL, and its own tools restore it.",
            next_step="docs/operations.md says how; `store copy` brings a file into an empty one.",
        )
    aside = settings.data_dir / "backups" / f"replaced-{clock():%Y%m%d-%H%M%S}.duckdb"
    try:
        done = put_back(path, file, aside=aside)
    except StoreLocked as error:
        raise StoreLocked(
            "A running Switchboard holds the store. Nothing was changed.", next_step="Stop it, and restore again."
        ) from error
    before = f" What was there before is {done.before}." if done.before else ""
    print(f"{file} is {path} now: {sum(done.rows.values()):,} rows in {len(done.rows)} tables.{before}")
    print("Put the folder `attachments` of that time back too, if files are missing.")
    return 0


def doctor() -> int:
    """Look at everything a start needs and say what is wrong."""
    findings = []
    for finding in examine():
        print(f"{_MARKS[finding.state]}  {finding.subject:<12}  {finding.text}")
        findings.append(finding)
    wrong = sum(finding.state == "wrong" for finding in findings)
    print("Everything a start needs is in order." if not wrong else f"{wrong} to correct, marked WRONG above.")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Look after a Switchboard installation.")
    commands = parser.add_subparsers(dest="command", required=True)
    copy = commands.add_parser("backup", help="copy the store to a new file, while no server runs")
    copy.add_argument("path", type=Path, nargs="?", help="the new file; by default in the data folder")
    copy.set_defaults(run=lambda options: backup(options.path))
    back = commands.add_parser("restore", help="put a backup in the place of the store, while no server runs")
    back.add_argument("path", type=Path, help="a file that `backup` has made")
    back.set_defaults(run=lambda options: restore(options.path))
    look = commands.add_parser("doctor", help="check settings, data, models and keys")
    look.set_defaults(run=lambda _: doctor())
    add_usage_command(commands)
    add_demo_command(commands)
    add_store_command(commands)
    add_tokens_command(commands)
    return parser
