"""`python -m core store copy`: moving everything from one store into another, such as from a file to a PostgreSQL."""

from __future__ import annotations

import argparse
import os
import sys

from core.errors import SettingsError
from core.settings import load_settings
from core.store.copying import copy_store
from core.store.maintenance import open_existing, open_or_make

_FROM_ENVIRONMENT = "env:"
_CURRENT = "current"


def add_store_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `store copy` to the command line."""
    store = commands.add_parser("store", help="copy the store into another one")
    actions = store.add_subparsers(dest="action", required=True)
    copy = actions.add_parser(
        "copy",
        help="copy every row into an empty store and compare it; again after a break goes on where it stopped",
        description="Copies all rows from one store into another, an empty one, and compares them row by row. Stop "
        "whatever uses either first. FROM and TO are addresses as SWITCHBOARD_STORE takes them, `current` for the one "
        "it names now, or env:NAME for an address in the variable NAME, which keeps a password off the command line.",
    )
    copy.add_argument("source", metavar="FROM")
    copy.add_argument("target", metavar="TO")
    copy.set_defaults(run=lambda options: _copy(_address(options.source), _address(options.target)))


def _copy(source_url: str, target_url: str) -> int:
    source = open_existing(source_url)
    try:
        target = open_or_make(target_url)
        try:
            counts = copy_store(source, target, progress=_show)
        finally:
            target.close()
    finally:
        source.close()
    print(f"Copied {sum(counts.values()):,} rows in {len(counts)} tables, and compared every one of them.")
    print("Attached files are not in the store: they stay in attachments/ of the data folder.")
    return 0


def _address(written: str) -> str:
    if written == _CURRENT:
        return load_settings().store_url
    if written.startswith(_FROM_ENVIRONMENT):
        name = written.removeprefix(_FROM_ENVIRONMENT)
        if not os.environ.get(name):
            raise SettingsError(f"The variable {name} is not set.", next_step="Set it to the address of a store.")
        return os.environ[name]
    return written


def _show(table: str, done: int, total: int, verb: str) -> None:
    # On a terminal one line that counts, elsewhere a line for every table.
    if sys.stdout.isatty():
        print(f"\r{table}: {verb} {done:,} of {total:,}\x1b[K", end="\n" if done >= total else "", flush=True)
    elif done >= total:
        print(f"{table}: {verb} {done:,}", flush=True)
