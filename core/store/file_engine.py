"""A store in a DuckDB file. The one place that knows how DuckDB says "locked" or "not a database"."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import duckdb

from core.errors import StoreDamaged, StoreError, StoreLocked
from core.store.tuning import TRANSACTION_TRIES, warm


class FileEngine:
    """The file of one process: DuckDB gives it to nobody else, so nobody else writes."""

    shared = False

    def __init__(self, location: str) -> None:
        """Open or create the file at `location`; `:memory:` is gone with the process.

        Raises StoreLocked, StoreDamaged or StoreError.
        """
        self.url = f"duckdb:{location}"
        self._connection = _open(location)
        warm(self._connection)
        [(self.catalog,)] = self._connection.execute("select current_database()").fetchall()

    def lease(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A cursor of its own for every call."""
        return self._connection.cursor()

    def tries(self, error: duckdb.Error) -> int:
        """DuckDB refuses the later of two transactions on one row at once."""
        return TRANSACTION_TRIES if isinstance(error, duckdb.TransactionException) else 1

    def explain(self, error: duckdb.Error) -> duckdb.Error:
        """The error as it is: none is about reaching the file, which stays open."""
        return error

    def others_wrote(self) -> bool:
        """Never: there are no others."""
        return False

    def close(self) -> None:
        """Write everything out and let go of the file."""
        self._connection.close()


def mark_of_restore(location: str) -> Path:
    """A file that stands beside a store while what it holds is neither the one before nor the backup."""
    return Path(f"{location}.restoring")


def _open(location: str) -> duckdb.DuckDBPyConnection:
    if mark_of_restore(location).exists():
        raise StoreDamaged(
            f"A `restore` of the store {location} was broken off.",
            next_step="Give the same `python -m core restore FILE` again. What was there before is in `backups`.",
        )
    try:
        return duckdb.connect(location)
    except duckdb.IOException as error:
        raise _explain(location, str(error)) from error
    except duckdb.Error as error:
        raise StoreDamaged(
            f"The store {location} could not be opened.",
            next_step="Restore the newest backup (`python -m core restore FILE`), or move the file away to start with "
            "an empty store.",
            detail=str(error),
        ) from error


def _explain(location: str, text: str) -> StoreError:
    lowered = text.lower()
    if "conflicting lock" in lowered or "could not set lock" in lowered:
        return StoreLocked(
            f"Another process is using the store {location}.",
            next_step="Stop the other Switchboard first, or give this one its own SWITCHBOARD_DATA_DIR.",
            detail=text,
        )
    if "not a valid duckdb database" in lowered or "serialization" in lowered or "storage version" in lowered:
        return StoreDamaged(
            f"The file {location} is not a Switchboard store.",
            next_step="Point SWITCHBOARD_STORE at another file, or move this one away. It was not changed.",
            detail=text,
        )
    return StoreError(
        f"The store {location} cannot be opened or created in {Path(location).parent}.",
        next_step="Check that the folder exists and may be written, or set SWITCHBOARD_DATA_DIR.",
        detail=text,
    )
