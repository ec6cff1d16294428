"""`python -m core usage import`: calls that were made elsewhere, into the ledger."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from core.accounts.audit import record
from core.costs.ledger import PLACEHOLDER
from core.costs.tabular import BadRow
from core.costs.usage_import import Imported, import_usage
from core.errors import ImportRefused, StoreLocked
from core.settings import load_settings
from core.store.database import Database
from core.store.maintenance import open_existing
from core.store.migrate import migrate

_SHOWN = 20
_BAR = 30


def add_usage_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `usage import` to the commands."""
    usage = commands.add_parser("usage", help="take in calls that were made elsewhere, while no server runs")
    take = usage.add_subparsers(dest="action", required=True).add_parser(
        "import",
        help="read a CSV or Parquet file into the ledger",
        description="Reads the Explorer's own download, LiteLLM's spend logs, or any table with --map. Every row is "
        "checked; rows that cannot be used are named with their line, the others are taken. What is in the ledger "
        "already is never taken twice.",
    )
    take.add_argument("file", type=Path)
    take.add_argument("--dry-run", action="store_true", help="only say what would be taken")
    take.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column holds a field: started_at, model, input_tokens, output_tokens, cost, user, ...",
    )
    take.add_argument(
        "--user", action="append", default=[], metavar="NAME=USERNAME", help="who a name in the file is here"
    )
    take.add_argument("--other-users", metavar="USERNAME", help="whose the calls of names nobody here knows are")
    take.add_argument("--errors", type=Path, metavar="CSV", help="also write every bad row's line and reason here")
    take.set_defaults(run=usage_import)


def usage_import(options: argparse.Namespace) -> int:
    """Run it. Returns 1 when a row was left out. Raises SwitchboardError."""
    mapping, people = _pairs(options.map, "--map"), _pairs(options.user, "--user")
    database = _open()
    try:
        found = import_usage(
            database,
            options.file,
            mapping=mapping,
            people=people,
            everybody_else=options.other_users,
            dry_run=options.dry_run,
            record=record,
            progress=_show_progress,
        )
    finally:
        _end_progress()
        database.close()
    _report(found, dry_run=options.dry_run)
    if options.errors:
        _write_errors(options.errors, found.bad)
    return 1 if found.bad else 0


def _open() -> Database:
    try:
        database = open_existing(load_settings().store_url)
    except StoreLocked as error:
        raise StoreLocked(
            "A running Switchboard holds the store, so nothing can be imported.",
            next_step="Stop it, run the import again, and start it.",
            detail=error.detail,
        ) from error
    migrate(database)
    return database


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for left, separator, right in pairs:
        if not (left and separator and right):
            raise ImportRefused(
                f"{option} {left}{separator}{right} is not understood.", next_step=f"Write it as {option} LEFT=RIGHT."
            )
    return {left: right for left, _, right in pairs}


def _report(found: Imported, *, dry_run: bool) -> None:
    verb = "Would take" if dry_run else "Took"
    period = f", {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d} UTC" if found.first and found.last else ""
    print(f"{found.rows:,} rows read as {found.layout}.")
    print(f"{verb} {found.new:,} calls into the ledger: {_dollars(found)}{period}.")
    if found.present:
        print(f"{found.present:,} are in the ledger already and were left as they are.")
    if found.repeated:
        print(f"{found.repeated:,} rows repeat the id of an earlier row and were left out.")
    _report_people(found)
    _report_bad(found.bad)


def _dollars(found: Imported) -> str:
    exact = f"${found.cost_usd.normalize():f}"
    return f"at least {exact}, {found.unpriced:,} without a cost" if found.unpriced else exact


def _report_people(found: Imported) -> None:
    if not found.unknown_people:
        return
    names = [f"{name or '(no name)'} ({calls:,})" for name, calls in found.unknown_people.items()]
    rest = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    print(
        f"Nobody here is called {', '.join(names[:_SHOWN])}{rest}. Without --other-users their calls belong to "
        f"{PLACEHOLDER}NAME; --user NAME=USERNAME says who somebody is."
    )


def _report_bad(bad: Sequence[BadRow]) -> None:
    for row in bad[:_SHOWN]:
        print(f"line {row.line:,} {row.reason}", file=sys.stderr)
    if len(bad) > _SHOWN:
        print(f"and {len(bad) - _SHOWN:,} more; --errors FILE.csv lists all of them", file=sys.stderr)
    if bad:
        print(f"{len(bad):,} rows were left out. Correct them and import the file again.", file=sys.stderr)


def _write_errors(path: Path, bad: Sequence[BadRow]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason"))
        writer.writerows((row.line, row.reason) for row in bad)


def _show_progress(share: float) -> None:
    if sys.stderr.isatty():
        done = round(share * _BAR)
        text = (
            f"{'#' * done}{'.' * (_BAR - done)} {share:4.0%}" if share < 1 else "checking every row ...".ljust(_BAR + 5)
        )
        sys.stderr.write(f"\r{text}")
        sys.stderr.flush()


def _end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r" + " " * (_BAR + 6) + "\r")
