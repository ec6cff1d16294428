"""New DuckDB stores as copies of one that was migrated once: thirty steps take longer than most tests do."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from contextlib import closing
from functools import cache, partial
from pathlib import Path

from core.store.database import Database
from core.store.ledger_copy import LedgerCopy
from core.store.migrate import migrate

_STORE = "switchboard.duckdb"
_LEDGER = "ledger-copy.duckdb"


def lay_store(path: Path) -> Path:
    """Put a new store with all tables at `path`, as `migrate` leaves it, and return the path."""
    shutil.copyfile(_made() / _STORE, path)
    return path


def lay_data_dir(folder: Path) -> None:
    """Put what a first start makes into a data dir: the store, and the copy of its empty ledger."""
    lay_store(folder / _STORE)
    shutil.copyfile(_made() / _LEDGER, folder / _LEDGER)


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="switchboard-store-"))
    atexit.register(partial(shutil.rmtree, folder, ignore_errors=True))
    with closing(Database(f"duckdb:{folder / _STORE}")) as database:
        migrate(database)
        with closing(LedgerCopy(database, folder / _LEDGER)) as copy:
            copy.refresh()
    return folder
