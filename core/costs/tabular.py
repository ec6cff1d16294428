"""Tables from elsewhere, CSV or Parquet, read in batches of text with the line each row came from.

Nothing is interpreted here: a cell is text, whatever the file thinks of it, so that an amount of money never passes
through a float of ours.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import ImportRefused

BATCH_ROWS = 50_000
_DELIMITERS = ",;\t|"
# A log of calls may hold whole conversations in one cell.
_LONGEST_CELL = 64 * 1024 * 1024
_PARQUET = b"PAR1"

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its line in the file, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table: the line of each, its cells in the order of the columns, and rows that are none."""

    lines: list[int]
    rows: list[list[str]]
    bad: list[BadRow]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is being read: its columns as the file names them, and its rows, once."""

    columns: tuple[str, ...]
    batches: Iterator[Batch]


def open_table(path: Path, *, progress: Progress) -> Table:
    """Read the file at `path`. `progress` hears the share that was read, 0 to 1.

    Raises ImportRefused when it is no table with a header, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            parquet = file.read(len(_PARQUET)) == _PARQUET
        return _parquet(path, progress) if parquet else _csv_file(path, progress)
    except (OSError, pa.ArrowInvalid) as error:
        raise ImportRefused(
            f"{path} cannot be read as a table.",
            next_step="Give a CSV file with a header line, or a Parquet file.",
            detail=str(error),
        ) from error


def read_table(data: bytes, *, name: str) -> Table:
    """Read a table from memory. Raises ImportRefused when it is no CSV with a header or not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(name, error.start) from error
    return _csv(io.StringIO(text, newline=""), name=name, progress=lambda: None)


def cells(table: Table) -> Iterator[tuple[int, dict[str, str]]]:
    """Every whole row of a table as {column: text}, with its line."""
    for batch in table.batches:
        for line, row in zip(batch.lines, batch.rows, strict=True):
            yield line, dict(zip(table.columns, row, strict=True))


def _csv_file(path: Path, progress: Progress) -> Table:
    size = max(1, path.stat().st_size)
    raw = path.open("rb")
    # Whoever reads to the end has read everything; the file is closed with the last batch.
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    return _csv(text, name=str(path), progress=lambda: progress(min(1.0, raw.tell() / size)))


def _csv(text: TextIO, *, name: str, progress: Callable[[], None]) -> Table:
    csv.field_size_limit(_LONGEST_CELL)
    first = _first_line(text, name)
    reader = csv.reader(text, delimiter=max(_DELIMITERS, key=first.count))
    columns = tuple(column.strip() for column in next(reader, []))
    if not columns or len(set(columns)) < len(columns):
        raise ImportRefused(
            f"{name} has no usable header: its first line names {_count(len(columns), 'column')}"
            f"{', some twice' if len(set(columns)) < len(columns) else ''}.",
            next_step="Give a CSV file whose first line names each column once.",
        )
    return Table(columns, _csv_batches(reader, text, len(columns), name, progress))


def _first_line(text: TextIO, name: str) -> str:
    try:
        line = text.readline()
    except UnicodeDecodeError as error:
        raise _not_text(name, error.start) from error
    text.seek(0)
    return line


def _csv_batches(reader: Any, text: TextIO, width: int, name: str, progress: Callable[[], None]) -> Iterator[Batch]:
    with text:
        batch = Batch([], [], [])
        while (row := _next_row(reader, batch, name)) is not None:
            _take(batch, reader.line_num, row, width)
            if len(batch.rows) >= BATCH_ROWS:
                progress()
                yield batch
                batch = Batch([], [], [])
        progress()
        yield batch


def _next_row(reader: Any, batch: Batch, name: str) -> list[str] | None:
    """The next row, empty for one that cannot be read and is noted; None at the end."""
    try:
        row: list[str] | None = next(reader, None)
    except csv.Error as error:
        batch.bad.append(BadRow(reader.line_num, f"cannot be read: {error}"))
        return []
    except UnicodeDecodeError as error:
        raise _not_text(name, error.start, line=reader.line_num + 1) from error
    return row


def _take(batch: Batch, line: int, row: list[str], width: int) -> None:
    if not any(row):
        return
    if len(row) != width:
        batch.bad.append(BadRow(line, f"has {_count(len(row), 'cell')} where the header has {width}"))
        return
    # A cell may go over several lines: the row is where it begins.
    batch.lines.append(line - sum(cell.count("\n") for cell in row))
    batch.rows.append(row)


def _parquet(path: Path, progress: Progress) -> Table:
    file = pq.ParquetFile(path)
    return Table(tuple(file.schema_arrow.names), _parquet_batches(file, progress))


def _parquet_batches(file: pq.ParquetFile, progress: Progress) -> Iterator[Batch]:
    # There are no lines in it: rows are counted as a CSV with a header would count them.
    line, total = 2, max(1, file.metadata.num_rows)
    with file:
        for found in file.iter_batches(batch_size=BATCH_ROWS):
            columns = [_texts(column) for column in found.columns]
            rows = [list(row) for row in zip(*columns, strict=True)]
            progress((line - 2 + len(rows)) / total)
            yield Batch(list(range(line, line + len(rows))), rows, [])
            line += len(rows)


def _texts(column: Any) -> Sequence[str]:
    return ["" if value is None else _text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    # Exact also where the file holds floats: the shortest decimal that means this float.
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _not_text(name: str, position: int, *, line: int = 1) -> ImportRefused:
    return ImportRefused(
        f"{name} is not UTF-8 text (near line {line}).",
        next_step="Save it as CSV in UTF-8 and try again.",
        detail=f"byte {position} cannot be decoded",
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
