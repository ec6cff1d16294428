"""One call's way to the store: statements with named parameters, on whichever engine it lives.

On a store that several processes share, a statement runs either in DuckDB or, as text, on the server itself
(core.store.server_sql); both are in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from core.store.server_sql import ddl, runs_on_server, who_runs, with_values
from core.store.written import ANY_TABLE, written_table

Row = dict[str, Any]
Parameters = Mapping[str, Any]

_ON_SERVER = "call postgres_execute('store', $text)"
_ASK_SERVER = "select * from postgres_query('store', $text)"


class Cursor:
    """A cursor of one call: runs statements with named parameters (`$name`) and returns rows as dictionaries."""

    def __init__(self, raw: duckdb.DuckDBPyConnection, *, shared: bool = False) -> None:
        self.raw = raw
        self.shared = shared
        # The tables that were written to.
        self.written: set[str] = set()

    def execute(self, sql: str, **parameters: Any) -> None:
        """Run a statement for its effect."""
        self._note(sql)
        if self.shared and runs_on_server(sql):
            self.on_server(with_values(sql, parameters))
        else:
            self.raw.execute(sql, parameters or None)

    def update(self, sql: str, **parameters: Any) -> int | None:
        """Run an update or a delete; how many rows it changed, or None where a server ran it and does not say."""
        self.execute(sql, **parameters)
        if self.shared:
            return None
        [(changed,)] = self.raw.fetchall()
        return int(changed)

    def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        """Run a statement once per row of parameters."""
        for row in rows:
            self.execute(sql, **row)

    def on_server(self, text: str) -> None:
        """Run statements on the server of a shared store as they stand there, in this transaction."""
        self.written.add(ANY_TABLE)
        self.raw.execute(_ON_SERVER, {"text": text})

    def shape(self, sql: str) -> None:
        """Run the statements of a migration, which make and change tables.

        One whose first line is `-- server` or `-- duckdb` is for a store of that kind alone.
        """
        if who_runs(sql) == ("duckdb" if self.shared else "server"):
            return
        if self.shared:
            self.on_server(ddl(sql))
            self.raw.execute("call pg_clear_cache()")
        else:
            self.written.add(ANY_TABLE)
            self.raw.execute(sql)

    def append(self, table: str, rows: Sequence[Parameters]) -> None:
        """Append many rows at once: all have the keys of the first, which are columns of `table`.

        A hundred times faster than one statement a row; a Decimal stays exact.
        """
        if not rows:
            return
        self.append_arrow(table, pa.Table.from_pylist([dict(row) for row in rows]))

    def append_arrow(self, table: str, rows: pa.Table) -> None:
        """Append the rows of an Arrow table, whose columns are columns of `table`."""
        self.written.add(table)
        with self.reading("appended", rows):
            columns = ", ".join(f'"{name}"' for name in rows.column_names)
            self.raw.execute(f"insert into {table} ({columns}) select {columns} from appended")  # noqa: S608 - no values

    @contextmanager
    def reading(self, name: str, table: pa.Table) -> Iterator[None]:
        """Let statements of the block read an Arrow table under a name."""
        self.raw.register(name, table)
        try:
            yield
        finally:
            self.raw.unregister(name)

    def fetch_all(self, sql: str, **parameters: Any) -> list[Row]:
        """All rows of a query. DECIMAL columns come as Decimal, TIMESTAMP as naive UTC datetime."""
        self._ask(sql, parameters)
        names = [column[0] for column in self.raw.description or ()]
        return [dict(zip(names, values, strict=True)) for values in self.raw.fetchall()]

    def fetch_columns(self, sql: str, **parameters: Any) -> dict[str, Any]:
        """The result of a query as NumPy arrays by column, for arithmetic on many rows.

        Money does not belong here: DECIMAL becomes a float.
        """
        self._ask(sql, parameters)
        return self.raw.fetchnumpy()

    def fetch_arrow(self, sql: str, **parameters: Any) -> pa.Table:
        """The result of a query as an Arrow table, exact: for handing many rows on."""
        self._ask(sql, parameters)
        return self.raw.to_arrow_table()

    def fetch_one(self, sql: str, **parameters: Any) -> Row | None:
        """The first row of a query, or None."""
        rows = self.fetch_all(sql, **parameters)
        return rows[0] if rows else None

    def fetch_batches(self, sql: str, *, rows: int, **parameters: Any) -> Iterator[pa.Table]:
        """The result of a query as Arrow tables of so many rows: exact, and no row passes through Python.

        Nothing else may be asked of this cursor until the last one was taken.
        """
        self._ask(sql, parameters)
        for batch in self.raw.to_arrow_reader(rows):
            yield pa.Table.from_batches([batch])

    def _note(self, sql: str) -> None:
        if (table := written_table(sql)) is not None:
            self.written.add(table)

    def _ask(self, sql: str, parameters: Parameters) -> None:
        self._note(sql)
        if self.shared and runs_on_server(sql):
            self.raw.execute(_ASK_SERVER, {"text": with_values(sql, parameters)})
        else:
            self.raw.execute(sql, parameters or None)
