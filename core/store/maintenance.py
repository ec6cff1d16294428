"""Looking after a store while no server runs: opening what exists, counting, copying."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.errors import StoreError
from core.store.copying import copy_store
from core.store.database import Cursor, Database

# What a PostgreSQL notes for the copies of the ledger (postgres_notes.sql) is no part of the store.
_TABLES = """
select table_name from duckdb_tables()
where database_name = $database and schema_name <> 'ledger_notes' and not internal order by table_name"""
# What a table is called in a store of either kind (core.store.attempt_rows).
_SHOWN = {"attempt_rows": "attempts"}


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy: where it is and how many rows each table of it holds."""

    path: Path
    rows: Mapping[str, int]


def store_file(url: str) -> Path | None:
    """The file behind a store's URL; None for a store that is no file."""
    scheme, _, location = url.partition(":")
    return Path(location) if scheme == "duckdb" and location != ":memory:" else None


def open_existing(url: str) -> Database:
    """Open a store that is there already; never make an empty one by accident.

    Raises StoreError when there is none, and whatever opening raises.
    """
    file = store_file(url)
    if file is not None and not file.is_file():
        raise StoreError(
            f"There is no store at {file} yet.",
            next_step="The first start makes it. If it should exist, check SWITCHBOARD_DATA_DIR and SWITCHBOARD_STORE.",
        )
    return Database(url)


def open_or_make(url: str) -> Database:
    """Open a store, an empty one where there is none. Raises whatever opening raises."""
    return Database(url)


def row_counts(database: Database) -> dict[str, int]:
    """How many rows each table holds, by table name."""
    with database.cursor() as cur:
        return _row_counts(cur, database.catalog)


def back_up(database: Database, target: Path) -> Backup:
    """Copy the whole store into a new file, and compare the row counts of both before giving it its name.

    Raises StoreError when `target` exists, cannot be written, or does not hold what the store holds. Nothing is ever
    overwritten, and a copy that failed leaves nothing behind.
    """
    if target.exists():
        raise StoreError(f"{target} exists already and was left alone.", next_step="Name another file.")
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        rows = _copy(database, unfinished)
        unfinished.rename(target)
    except (OSError, duckdb.Error) as error:
        raise StoreError(
            f"The backup {target} could not be written.",
            next_step="Check that the folder may be written and has room. The store was not changed.",
            detail=str(error),
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return Backup(target, rows)


def _copy(database: Database, target: Path) -> dict[str, int]:
    target.unlink(missing_ok=True)
    if database.is_shared:
        return _copy_rows(database, target)
    with database.cursor() as cur:
        cur.execute(f"attach '{_quoted(target)}' as backup_copy")
        try:
            cur.execute(f'copy from database "{database.catalog}" to backup_copy')
            expected, copied = _row_counts(cur, database.catalog), _row_counts(cur, "backup_copy")
        finally:
            cur.execute("detach backup_copy")
    if expected != copied:
        raise StoreError(
            "The copy does not hold what the store holds.",
            next_step="Try again while nothing else uses the store. The store was not changed.",
            detail=f"expected {expected}, copied {copied}",
        )
    return copied


def _copy_rows(database: Database, target: Path) -> dict[str, int]:
    copy = Database(f"duckdb:{target}")
    try:
        copy_store(database, copy)
        return row_counts(copy)
    finally:
        copy.close()


def _row_counts(cur: Cursor, database: str) -> dict[str, int]:
    tables = [row["table_name"] for row in cur.fetch_all(_TABLES, database=database)]
    # A server counts its tables itself, and does not know what DuckDB calls it.
    prefix = "" if cur.shared else f'"{database}".'
    counts = {name: cur.fetch_one(f'select count(*) as n from {prefix}"{name}"') for name in tables}  # noqa: S608
    return {_SHOWN.get(name, name): row["n"] for name, row in counts.items() if row}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
