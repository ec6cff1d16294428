"""Reading whole files of rows inside DuckDB, as text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from core.store.database import Cursor

_CSV = """read_csv($path, all_varchar = true, header = true, delim = $delimiter, quote = '"', escape = '"', skip = 0,
    strict_mode = true, null_padding = false, max_line_size = 67108864)"""
_LOOK_S = 0.2


def read_into(
    cur: Cursor,
    path: Path,
    *,
    delimiter: str | None,
    columns: Mapping[str, str],
    table: str,
    progress: Callable[[float], None],
) -> bool:
    """Fill `table` (a number `line`, and text) from a file; False when a row of it does not fit, and nothing was read.

    `columns` says which column of the file goes where; `delimiter` None means Parquet. Cells are trimmed, an empty one
    is ''. `line` counts the rows from 2, as if each were one line below a header. `progress` hears the share, 0 to 1.
    """
    cells = ", ".join(f"coalesce(trim({_quoted(column)}::text), '')" for column in columns.values())
    names = ", ".join(_quoted(field) for field in columns)
    source = "read_parquet($path)" if delimiter is None else _CSV
    given = {"path": str(path)} if delimiter is None else {"path": str(path), "delimiter": delimiter}
    statement = f"insert into {table} (line, {names}) select 1 + row_number() over (), {cells} from {source}"  # noqa: S608
    try:
        with _watched(cur, progress):
            cur.execute(statement, **given)
    except duckdb.Error:
        return False
    return True


@contextmanager
def _watched(cur: Cursor, progress: Callable[[float], None]) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_S):
            progress(max(0.0, cur.raw.query_progress()) / 100)

    watcher = threading.Thread(target=watch, name="read-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
