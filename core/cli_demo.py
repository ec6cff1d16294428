"""`python -m core demo`: a made-up team to look at, in a store that is fresh; `--remove` takes it out again."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Mapping, Sequence

from core.accounts.passwords import hash_password
from core.catalog.models import ModelSpec
from core.catalog.registry import load_registry
from core.clock import utc_now
from core.demo.fill import DAYS, fill
from core.demo.removal import remove
from core.demo.team import ADMIN, MEMBERS
from core.errors import StoreError, StoreLocked
from core.settings import Settings, load_settings
from core.store.database import Database
from core.store.maintenance import open_existing, open_or_make
from core.store.migrate import migrate

_MODELS = 10


def add_demo_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo` to the commands."""
    demo = commands.add_parser(
        "demo",
        help="fill a fresh store with a made-up team, to look at the pages",
        description=f"Makes {len(MEMBERS)} people and {DAYS} days of their work: conversations, calls, costs, budgets. "
        "Only in a store that holds nothing yet, and marked on every page while it is there.",
    )
    demo.add_argument("--remove", action="store_true", help="take out everything it made, and nothing else")
    demo.set_defaults(run=lambda options: _remove() if options.remove else _fill())


def _fill() -> int:
    settings = load_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    password = secrets.token_urlsafe(12)
    database = _opened(lambda: open_or_make(settings.store_url))
    try:
        migrate(database)
        counts = fill(database, models=_models(settings), password_hash=hash_password(password), now=utc_now())
    finally:
        database.close()
    print(f"Made a team of {counts['users']} and {DAYS} days of its work: {_said(counts)}.")
    print(f"Start Switchboard and sign in as {ADMIN} with the password {password}")
    print("It is said here once. `python -m core demo --remove` takes everything out again.")
    return 0


def _remove() -> int:
    database = _opened(lambda: open_existing(load_settings().store_url))
    try:
        migrate(database)
        counts = remove(database)
    finally:
        database.close()
    print(f"Took out the demo: {_said(counts)}." if counts else "There is no demo in this store. Nothing was changed.")
    return 0


def _models(settings: Settings) -> Sequence[ModelSpec]:
    """Models to ask: those with a price first, then one without; a registry of free ones will do too."""
    known = [model for model in load_registry(settings.models).models.values() if model.enabled]
    priced = [model for model in known if model.prices and not model.prices.free]
    unpriced = [model for model in known if model.prices is None]
    chosen = [*priced[:_MODELS], *unpriced[:1]] or known
    if not chosen:
        raise StoreError("There is no model in the registry to make a demo with.", next_step="Add one and try again.")
    return chosen


def _opened(opening: Callable[[], Database]) -> Database:
    try:
        return opening()
    except StoreLocked as error:
        raise StoreLocked(
            "A running Switchboard holds the store, so the demo cannot be changed.",
            next_step="Stop it, run the command again, and start it.",
            detail=error.detail,
        ) from error


def _said(counts: Mapping[str, int]) -> str:
    words = {"conversations": "conversations", "messages": "messages", "attempts": "calls"}
    return ", ".join(f"{counts.get(table, 0):,} {word}" for table, word in words.items())
