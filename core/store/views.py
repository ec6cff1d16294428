"""Views over the tables, made anew whenever a store is opened: `views/*.sql`, and before them what only a file has.

They belong to the program and not to the data, so they live in DuckDB's own catalog and not in a migration: a view made
by an older version would keep that version's columns, and a store on an attached PostgreSQL has no place for DuckDB's
functions.
"""

from __future__ import annotations

from importlib.resources import files

from core.store.database import Cursor, Database


def create_views(database: Database) -> None:
    """Make every view, or make it anew. The tables have to be there."""
    statements = [*([] if database.is_shared else _texts("file_views")), *_texts("views")]

    def work(cur: Cursor) -> None:
        for statement in statements:
            cur.execute(statement)

    database.transaction(work)


def _texts(folder: str) -> list[str]:
    entries = sorted(files("core.store").joinpath(folder).iterdir(), key=lambda entry: entry.name)
    return [entry.read_text(encoding="utf-8") for entry in entries if entry.name.endswith(".sql")]


def make_indexes(database: Database) -> None:
    """Make the indexes that a PostgreSQL needs beyond those of the migrations; a DuckDB file needs none of them."""
    if database.is_shared:
        text = files("core.store").joinpath("postgres_indexes.sql").read_text(encoding="utf-8")
        database.transaction(lambda cur: cur.on_server(text))


def make_notes(database: Database) -> None:
    """Let a PostgreSQL note which calls are touched, for the copies of the ledger; a DuckDB file numbers its rows."""
    if database.is_shared:
        text = files("core.store").joinpath("postgres_notes.sql").read_text(encoding="utf-8")
        database.transaction(lambda cur: cur.on_server(text))
