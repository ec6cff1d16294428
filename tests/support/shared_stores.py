"""A store on a PostgreSQL that many tests use one after the other."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

from core.store.database import Database, Row
from core.store.migrate import migrate
from core.store.views import create_views
from tests.support.postgres import PostgresServer

# What migrations put in themselves.
_SEEDED = ("migrations", "account_locks")
_TABLES = "-- server\nselect tablename::text as name from pg_tables where schemaname = 'public'"
_SHAPE = """-- server
select md5(string_agg(concat(attrelid::regclass, '.', attname), ' ' order by attrelid::regclass::text, attnum)) as shape
from pg_attribute join pg_class on pg_class.oid = attrelid
where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0"""
# Made by the first report (core.store.views.make_notes), with triggers on the ledger.
_NOTES_GONE = "drop schema if exists ledger_notes cascade;"
# Tests of conflicts do not wait as long as people do.
_PATIENCE = "&options=-c%20lock_timeout%3D300"


class KeptStore:
    """One database with every migration, `emptied` before each use, made anew when a test has broken it."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._database: Database | None = None
        self._deletions = ""
        self._shape: Row | None = None
        self.own_url = self._made()

    @property
    def database(self) -> Database:
        """It, opened; again when a test has closed it."""
        if self._database is None or self._database.is_closed:
            self._database = Database(self.own_url)
            migrate(self._database)
        return self._database

    def emptied(self) -> Self:
        """As it was after its migrations. Deleting is ten times faster here than truncating: the tables are small."""
        if self.database.fetch_one(_SHAPE) != self._shape:
            self.close()
            self.own_url = self._made()
        self.database.transaction(lambda cur: cur.on_server(self._deletions))
        # A test that renamed a table took the views over it along.
        create_views(self.database)
        return self

    def close(self) -> None:
        """Close it, if it is open."""
        if self._database is not None:
            self._database.close()

    @cached_property
    def _template(self) -> str:
        url = self._server.create()
        database = Database(url)
        migrate(database)
        names = [row["name"] for row in database.fetch_all(_TABLES)]
        self._shape = database.fetch_one(_SHAPE)
        database.close()
        deletions = [f"delete from {name};" for name in names if name not in _SEEDED]  # noqa: S608 - our names
        self._deletions = " ".join([_NOTES_GONE, *deletions, "update account_locks set version = 0"])
        return url.partition("?")[0].rpartition("/")[2]

    def _made(self) -> str:
        return self._server.create(template=self._template) + _PATIENCE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
