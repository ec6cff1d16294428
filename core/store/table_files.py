"""Reading whole files of rows inside DuckDB, as text, into what a statement makes of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from core.store.database import Cursor

_CSV = """read_csv($path, all_varchar = true, header = true, delim = $delimiter, quote = '"', escape = '"', skip = 0,
    strict_mode = true, null_padding = false, max_line_size = 67108864, buffer_size = 67108864)"""
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFile:
    """A file of rows: `delimiter` None means Parquet, `columns` says which of its columns holds which field.

    `line` is the column that says where a row stands; None: rows are counted from 2, as if each were one line below a
    header.
    """

    path: Path
    delimiter: str | None
    columns: Mapping[str, str]
    line: str | None = None


def read_typed(
    cur: Cursor,
    file: RowFile,
    *,
    fields: Collection[str],
    select: str,
    into: Path,
    progress: Callable[[float], None],
    **parameters: Any,
) -> bool:
    """Run `select` over the rows of a file and keep the result as Parquet; False when a row of the file does not fit.

    The statement reads `{incoming}`: a number `line`, and every one of `fields` as trimmed text, '' where the file says
    nothing. Rows stay in the order of the file. `progress` hears the share that was read, 0 to 1.
    """
    line = "1 + row_number() over ()" if file.line is None else _quoted(file.line)
    cells = ", ".join(f"{_cell(file.columns.get(field))} as {_quoted(field)}" for field in fields)
    source = "read_parquet($path)" if file.delimiter is None else _CSV
    given = {"path": str(file.path), **({} if file.delimiter is None else {"delimiter": file.delimiter})}
    rows = f"(select {line} as line, {cells} from {source})"  # noqa: S608 - names are quoted
    statement = f"copy ({select.replace('{incoming}', rows)}) to $into (format parquet, compression snappy)"
    try:
        with _watched(cur, progress):
            cur.execute(statement, into=str(into), **given, **parameters)
    except (duckdb.InvalidInputException, duckdb.ConversionException):
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


def _cell(column: str | None) -> str:
    return "''" if column is None else f"coalesce(trim({_quoted(column)}::text), '')"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
