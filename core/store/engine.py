"""Opening a store by URL. The one place that knows how an engine says "locked" or "not a database"."""

from __future__ import annotations

from pathlib import Path

import duckdb

from core.errors import StoreDamaged, StoreError, StoreLocked


def connect(url: str) -> duckdb.DuckDBPyConnection:
    """Open the engine behind `url`.

    `duckdb:PATH` opens or creates a file; `duckdb::memory:` a store that is gone with the process.
    Raises StoreLocked, StoreDamaged or StoreError, each with the next step.
    """
    scheme, separator, location = url.partition(":")
    if not separator or scheme != "duckdb" or not location:
        raise StoreError(
            f"The store address {scheme or url!r} is not understood.",
            next_step="Set SWITCHBOARD_STORE to duckdb:PATH, for example duckdb:data/switchboard.duckdb.",
        )
    connection = _open(location)
    _warm(connection)
    return connection


def _open(location: str) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(location)
    except duckdb.IOException as error:
        raise _explain(location, str(error)) from error
    except duckdb.Error as error:
        raise StoreDamaged(
            f"The store {location} could not be opened.",
            next_step="Restore the newest backup, or move the file away to start with an empty store.",
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


def _warm(connection: duckdb.DuckDBPyConnection) -> None:
    # A chat is many small statements: handing each to worker threads costs 1 ms a statement on two busy cores, 0.4 ms
    # without (measured; a turn begins with eight of them, before the provider is called).
    connection.execute("set threads = 1")
    # The first statement with parameters makes DuckDB's client import pandas and numpy (0.3-2 s, measured): better
    # at the start than under the first person's first message.
    connection.execute("select $one", {"one": 1}).fetchall()
