"""Putting a backup in the place of the store, while no server runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import StoreDamaged, StoreError
from core.store.database import Database
from core.store.file_engine import mark_of_restore
from core.store.maintenance import open_existing, row_counts
from core.store.migrate import steps_to_apply

# (file, new name)
_Name = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What is in the store now, in rows by table, and where the one before it is; None: there was none."""

    rows: Mapping[str, int]
    before: Path | None


def put_back(backup: Path, file: Path, *, aside: Path, link: _Name = os.link, replace: _Name = os.replace) -> Restored:
    """Make a copy of `backup` the store `file`; the store that was there is kept as `aside` and never deleted.

    A kill at any moment leaves one of the two whole in its place, or a mark with which opening the store says what to
    do. `link` gives a file a second name, `replace` the name of another in one step.
    Raises StoreError for what is no store of ours, StoreTooNew for a newer version's, and StoreLocked while a server
    has the present one; nothing has changed then.
    """
    if not backup.is_file():
        raise StoreError(f"There is no file {backup}.", next_step="Name a file that `backup` has made.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        # Of one that was killed: DuckDB would work it into the copy.
        _wal(unfinished).unlink(missing_ok=True)
        # Looked at as a copy: opening a file may write to it.
        shutil.copyfile(backup, unfinished)
        rows = _rows_in(unfinished, backup)
        before = _kept_aside(file, aside, link)
        _put_in_place(unfinished, file, replace)
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


def _kept_aside(file: Path, aside: Path, link: _Name) -> Path | None:
    """Give the present store a second name, by which it stays when the first is the backup's; None: there is none."""
    if file.exists():
        with suppress(StoreDamaged):
            open_existing(f"duckdb:{file}").close()
    # What was written last stands in a file beside it, if opening could not work it in.
    kept = {old: new for old, new in ((file, aside), (_wal(file), _wal(aside))) if old.exists()}
    if there := next((new for new in kept.values() if new.exists()), None):
        raise StoreError(f"There is a file {there} already.", next_step="Nothing was changed. Try again in a second.")
    for old, new in kept.items():
        new.parent.mkdir(parents=True, exist_ok=True)
        _name_also(old.resolve(), new, link)
    return kept.get(file)


def _name_also(old: Path, new: Path, link: _Name) -> None:
    try:
        link(old, new)
    except OSError:
        # On another disk, or on one that knows no second names.
        unfinished = new.with_name(f"{new.name}.unfinished")
        shutil.copyfile(old, unfinished)
        unfinished.rename(new)


def _put_in_place(copy: Path, file: Path, replace: _Name) -> None:
    mark = mark_of_restore(str(file))
    if _wal(file).exists():
        # DuckDB would work it into whatever has the name: it goes first, and without it the file is not what it was.
        mark.touch()
        _wal(file).unlink()
    replace(copy, file)
    mark.unlink(missing_ok=True)


def _wal(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")
