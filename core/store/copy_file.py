"""The file of the copy of the ledger: opened as this store needs it, or made anew."""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import duckdb

from core.store.database import Cursor
from core.store.sql import load_queries

_SQL = load_queries("ledger_copy")
# Texts that repeat, such as names of models, are read nearly twice as fast from the newest format of a file. Only this
# version of DuckDB ever has to read it: a copy of another one is made anew.
_FORMAT = "latest"
_log = logging.getLogger(__name__)


def open_copy(path: Path | None, store: Cursor) -> duckdb.DuckDBPyConnection:
    """Open the copy at `path` for the store that `store` reads; an empty one where there is none that fits.

    Without a path, or while another process has the file, it is in memory.
    """
    layout = _layout(store)
    try:
        connection = _connect(path)
        if _layout_in(connection) == layout:
            return connection
        connection.close()
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            _log.warning("Another process uses the copy of the ledger in %s: this one keeps its own in memory.", path)
            path = None
    except duckdb.Error:
        _log.warning("The copy of the ledger in %s cannot be read and is made anew.", path)
    forget_copy(path)
    return _made(_connect(path), store, layout)


def forget_copy(path: Path | None) -> None:
    """Delete the file of a copy, and what belongs to it."""
    for file in () if path is None else (path, path.with_name(f"{path.name}.wal")):
        with suppress(FileNotFoundError):
            file.unlink()


def _connect(path: Path | None) -> duckdb.DuckDBPyConnection:
    location = ":memory:" if path is None else str(path)
    connection = duckdb.connect(location, config={"storage_compatibility_version": _FORMAT})
    # Reports are few and large: they may have the whole machine for the tenths of a second that they take.
    connection.execute(f"set threads = {os.cpu_count() or 1}")
    return connection


def _layout(store: Cursor) -> str:
    """What a copy depends on besides the rows: the store's columns, these statements, DuckDB and its file format."""
    row = store.fetch_one(_SQL["columns"]) or {}
    text = "\n".join([duckdb.__version__, _FORMAT, str(row["columns"]), _macros(), *_SQL.values()])
    return hashlib.sha256(text.encode()).hexdigest()


def _layout_in(connection: duckdb.DuckDBPyConnection) -> str | None:
    try:
        return str(connection.execute("select layout from layout").fetchall()[0][0])
    except (duckdb.CatalogException, IndexError):
        return None


def _made(connection: duckdb.DuckDBPyConnection, store: Cursor, layout: str) -> duckdb.DuckDBPyConnection:
    cur = Cursor(connection)
    cur.execute(_macros())
    cur.execute(_SQL["make_conversations"])
    for name, table in (("make_calls", "attempts"), ("make_adjustments", "adjustments")):
        store.raw.execute(f"select * from {table} limit 0")  # noqa: S608 - one of two names above
        with cur.reading("incoming", store.raw.to_arrow_table()):
            cur.execute(_SQL[name].replace("{calls_of}", _SQL["calls_of"]))
    cur.execute(_SQL["make_ledger"])
    cur.execute(_SQL["make_layout"], layout=layout)
    return connection


def _macros() -> str:
    return files("core.store").joinpath("views", "bins.sql").read_text(encoding="utf-8")
