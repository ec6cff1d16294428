"""Opening a store by URL: a DuckDB file of this process, or a PostgreSQL that several share."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import duckdb

from core.errors import StoreError
from core.store.file_engine import FileEngine
from core.store.postgres_engine import PostgresEngine


class Engine(Protocol):
    """What Database needs of the place where the tables live."""

    # The URL without a password.
    url: str
    # Whether other processes write to the same tables.
    shared: bool
    # What DuckDB calls the database that the tables are in.
    catalog: str

    def lease(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A cursor of the engine for one user at a time. Raises StoreError when the store cannot be reached."""

    def tries(self, error: duckdb.Error) -> int:
        """How often a transaction that failed like this is run in all: 1 when no other transaction was in its way."""

    def explain(self, error: duckdb.Error) -> StoreError | duckdb.Error:
        """What to raise instead: a sentence when it is about reaching the store and not about the statement."""

    def others_wrote(self) -> bool:
        """Whether another process may have written since the last call."""

    def close(self) -> None:
        """Let go of the store."""


def open_engine(url: str) -> Engine:
    """Open the engine behind `url`.

    `duckdb:PATH` opens or creates a file, `duckdb::memory:` a store that is gone with the process,
    `postgresql://USER:PASSWORD@HOST/DATABASE` attaches a database that exists.
    Raises StoreLocked, StoreDamaged or StoreError, each with the next step.
    """
    scheme, separator, location = url.partition(":")
    if scheme in {"postgresql", "postgres"} and location.startswith("//"):
        return PostgresEngine(url)
    if scheme == "duckdb" and location:
        return FileEngine(location)
    raise StoreError(
        f"The store address {scheme if separator else '(without a scheme)'} is not understood.",
        next_step="Set SWITCHBOARD_STORE to duckdb:PATH or to postgresql://USER:PASSWORD@HOST/DATABASE.",
    )
