"""Putting a backup in the place of the store, while no server runs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import StoreDamaged, StoreError
from core.store.database import Database
from core.store.maintenance import open_existing, row_counts
from core.store.migrate import steps_to_apply


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What is in the store now, in rows by table, and where the one before it is; None: there was none."""

    rows: Mapping[str, int]
    before: Path | None


def put_back(backup: Path, file: Path, *, aside: Path) -> Restored:
    """Make a copy of `backup` the store `file`; the store that was there is moved to `aside` and never deleted.

    Raises StoreError for what is no store of ours, StoreTooNew for a newer version's, and StoreLocked while a server
    has the present one; nothing has changed then.
    """
    if not backup.is_file():
        raise StoreError(f"There is no file {backup}.", next_step="Name a file that `backup` has made.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        # Looked at as a copy: opening a file may write to it.
        shutil.copyfile(backup, unfinished)
        rows = _rows_in(unfinished, backup)
        before = _moved_aside(file, aside)
        unfinished.rename(file)
    except OSError as error:
        raise StoreError(
            f"{backup} could not be put in the place of {file}.",
            next_step="Check that the folder may be written and has room.",
            detail=str(error),
        ) from error
    finally:
        for left in (unfinished, _wal(unfinished)):
            with suppress(OSError):
                left.unlink()
    return Restored(rows=rows, before=before)


def _rows_in(copy: Path, backup: Path) -> Mapping[str, int]:
    rows: Mapping[str, int] = {}
    # What DuckDB cannot read, and another program's tables.
    with suppress(StoreDamaged), closing(Database(f"duckdb:{copy}")) as database:
        steps_to_apply(database)
        rows = row_counts(database)
    if not rows.get("migrations"):
        raise StoreError(f"{backup} is no store of Switchboard.", next_step="Name a file that `backup` has made.")
    return rows


def _moved_aside(file: Path, aside: Path) -> Path | None:
    if file.exists():
        with suppress(StoreDamaged):
            open_existing(f"duckdb:{file}").close()
    # What was written last stands in a file beside it, which DuckDB would work into whatever has the name.
    moved = {old: new for old, new in ((file, aside), (_wal(file), _wal(aside))) if old.exists()}
    # Renaming would put one in the place of the other, and nothing is ever deleted here.
    if there := next((new for new in moved.values() if new.exists()), None):
        raise StoreError(f"There is a file {there} already.", next_step="Nothing was changed. Try again in a second.")
    for old, new in moved.items():
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
    return moved.get(file)


def _wal(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")
