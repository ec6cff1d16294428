"""Tables from elsewhere, CSV or Parquet, read in batches of text with the line each row came from.

Nothing is interpreted here: a cell is text, whatever the file thinks of it, so that an amount of money never passes
through a float of ours.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, TextIO

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
    """A table that is being read: its columns as the file names them, and its rows, once.

    `delimiter` is what stands between the cells of a CSV; None for Parquet.
    """

    columns: tuple[str, ...]
    batches: Iterator[Batch]
    delimiter: str | None = None


@contextmanager
def open_table(path: Path, *, progress: Progress) -> Iterator[Table]:
    """Read the file at `path`, which is open as long as the block. `progress` hears the share that was read, 0 to 1.

    Raises ImportRefused when it is no table with a header, or cannot be read.
    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(path.open("rb"))
            parquet = file.read(len(_PARQUET)) == _PARQUET
            file.seek(0)
            if path.suffix == ".parquet" and not parquet:
                raise ImportRefused(
                    f"{path} is no Parquet file, whatever its name says.",
                    next_step="Export it again, or give a CSV file.",
                )
            # Text that is let go of closes its file by surprise: it stays as long as the file.
            text = opened.enter_context(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))
            table = _parquet(file, progress) if parquet else _csv_file(text, path, progress)
        except FileNotFoundError as error:
            raise ImportRefused(f"There is no file {path}.", next_step="Check its name and folder.") from error
        except (OSError, pa.ArrowInvalid) as error:
            raise ImportRefused(
                f"{path} cannot be read as a table.",
                next_step="Give a CSV file with a header line, or a Parquet file.",
                detail=str(error),
            ) from error
        yield table


def read_table(data: bytes, *, name: str) -> Table:
    """Read a table from memory. Raises ImportRefused when it is no CSV with a header or not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(name, error.start) from error
    return _csv(io.StringIO(text, newline=""), name=name, progress=lambda: None)


def lines_of(table: Table) -> Iterator[int]:
    """The line of every whole row of a table."""
    for batch in table.batches:
        yield from batch.lines


def _csv_file(text: TextIO, path: Path, progress: Progress) -> Table:
    size = max(1, path.stat().st_size)
    return _csv(text, name=str(path), progress=lambda: progress(min(1.0, text.buffer.tell() / size)))


def _csv(text: TextIO, *, name: str, progress: Callable[[], None]) -> Table:
    csv.field_size_limit(_LONGEST_CELL)
    first = _first_line(text, name)
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(text, delimiter=delimiter)
    columns = tuple(column.strip() for column in next(reader, []))
    if not columns or len(set(columns)) < len(columns):
        raise ImportRefused(
            f"{name} has no usable header: its first line names {_count(len(columns), 'column')}"
            f"{', some twice' if len(set(columns)) < len(columns) else ''}.",
            next_step="Give a CSV file whose first line names each column once.",
        )
    return Table(columns, _csv_batches(reader, len(columns), name, progress), delimiter)


def _first_line(text: TextIO, name: str) -> str:
    try:
        line = text.readline()
    except UnicodeDecodeError as error:
        raise _not_text(name, error.start) from error
    text.seek(0)
    return line


def _csv_batches(reader: Any, width: int, name: str, progress: Callable[[], None]) -> Iterator[Batch]:
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
    if not row:
        return
    if len(row) != width:
        batch.bad.append(BadRow(line, f"has {_count(len(row), 'cell')} where the header has {width}"))
        return
    # A cell may go over several lines: the row is where it begins.
    batch.lines.append(line - sum(cell.count("\n") for cell in row))
    batch.rows.append(row)


def _parquet(file: BinaryIO, progress: Progress) -> Table:
    found = pq.ParquetFile(file)
    return Table(tuple(found.schema_arrow.names), _parquet_batches(found, progress))


def _parquet_batches(file: pq.ParquetFile, progress: Progress) -> Iterator[Batch]:
    # There are no lines in it: rows are counted as a CSV with a header would count them.
    line, total = 2, max(1, file.metadata.num_rows)
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
