"""A store on a PostgreSQL server, reached through DuckDB's extension from its wheel: nothing is downloaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import duckdb

from core.errors import StoreError
from core.store.postgres_errors import cannot_open, explain, worthwhile_tries
from core.store.postgres_url import PostgresAddress, read_address
from core.store.tuning import warm

_WHEEL = "duckdb_extension_postgres_scanner"
# Connections that wait for the next statement. More are made when more are needed at the same time.
_KEPT_CONNECTIONS = 8
_LOOK_AFTER_S = 1.0
# A snapshot names the transactions that it sees: as long as it stays the same, nobody has committed anything.
_SNAPSHOT = "select * from postgres_query('store', 'select pg_current_snapshot()::text as seen')"


class PostgresEngine:
    """The tables of an attached database, `store`; views and macros of the program are DuckDB's own, in memory."""

    shared = True
    catalog = "store"

    def __init__(self, url: str) -> None:
        """Attach the database. Raises StoreError when it cannot be reached, or the extension is missing."""
        self._address = read_address(url)
        self.url = self._address.shown
        self._connection = _attached(self._address)
        self._schema = self._own_schema()
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._lock = threading.Lock()
        self._seen = ""
        self._looked_at = float("-inf")

    @contextmanager
    def lease(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that knows where the tables are. Finding them is not inherited, and 2 ms a time: it is kept."""
        with self._lock:
            raw = self._idle.pop() if self._idle else None
        if raw is None:
            raw = self._connection.cursor()
            raw.execute(f"set search_path = 'memory.main,store.{self._schema}'")
        try:
            yield raw
        except BaseException:
            # Whatever state it is in: closing it ends its transaction.
            raw.close()
            raise
        with self._lock:
            self._idle.append(raw)

    def tries(self, error: duckdb.Error) -> int:
        """The server lets the later of two transactions on one row wait for the first, and then refuses it."""
        return worthwhile_tries(error)

    def explain(self, error: duckdb.Error) -> StoreError | duckdb.Error:
        """The sentence for a server that cannot be reached; any other error without the statement."""
        return explain(error, self._address)

    def others_wrote(self) -> bool:
        """Whether anybody wrote since the last look, ourselves included; looks once a second at most."""
        with self._lock:
            if time.monotonic() - self._looked_at < _LOOK_AFTER_S:
                return False
            self._looked_at = time.monotonic()
        with self.lease() as raw:
            [(seen,)] = raw.execute(_SNAPSHOT).fetchall()
        changed, self._seen = bool(seen != self._seen), seen
        return changed

    def close(self) -> None:
        """Close every connection to the server."""
        with self._lock:
            idle, self._idle = self._idle, []
        for raw in idle:
            raw.close()
        # Without it the connections of the pool end with the process.
        with suppress(duckdb.Error):
            self._connection.execute("detach store")
        self._connection.close()

    def _own_schema(self) -> str:
        query = "select * from postgres_query('store', 'select current_schema()::text')"
        [(schema,)] = self._connection.execute(query).fetchall()
        if schema is None or not schema.isidentifier():
            raise StoreError(
                f"The database {self._address.database} on {self._address.server} has no schema for the tables.",
                next_step="Let the search_path of the database's user begin with a schema that exists, such as public.",
            )
        return str(schema)


def _attached(address: PostgresAddress) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    try:
        _load_extension(connection)
        warm(connection)
        # PostgreSQL has no NUL in a text.
        connection.execute("set global pg_null_byte_replacement = '�'")
        connection.execute(f"set pg_pool_max_connections = {_KEPT_CONNECTIONS}")
        quoted = address.for_connection().replace("'", "''")
        connection.execute(f"attach '{quoted}' as store (type postgres)")
    except duckdb.Error as error:
        connection.close()
        # Without a cause: its text may repeat the whole address.
        raise cannot_open(error, address) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _load_extension(connection: duckdb.DuckDBPyConnection) -> None:
    missing = StoreError(
        "DuckDB's extension for PostgreSQL is missing or does not fit.",
        next_step="Run make install, which installs duckdb-extension-postgres-scanner of the same version as duckdb.",
    )
    spec = find_spec(_WHEEL)
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else Path()
    files = sorted(folder.glob("extensions/*/postgres_scanner.duckdb_extension")) if spec is not None else []
    if not files:
        raise missing
    try:
        connection.execute(f"load '{str(files[-1]).replace(chr(39), chr(39) * 2)}'")
    except duckdb.Error as error:
        missing.detail = str(error)
        raise missing from error
