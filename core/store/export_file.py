"""The result of a query as the bytes of a file, written by the engine: exact, and no row passes through Python."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal

from core.store.reader import Reader

FileFormat = Literal["csv", "parquet"]

_OPTIONS = {"csv": "format csv, header", "parquet": "format parquet, compression zstd"}


def query_to_file(database: Reader, sql: str, *, file_format: FileFormat, **parameters: Any) -> bytes:
    """Run a query with named parameters and return a CSV (UTF-8, with a header) or a Parquet file of its rows."""
    with tempfile.TemporaryDirectory(prefix="switchboard-export-") as folder:
        path = Path(folder) / f"rows.{file_format}"
        with database.cursor() as cur:
            cur.execute(f"copy ({sql}) to $path ({_OPTIONS[file_format]})", path=str(path), **parameters)
        return path.read_bytes()
