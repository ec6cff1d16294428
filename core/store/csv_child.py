"""One query over one CSV, in a process of its own: run by core.store.csv_query, never imported.

Measured: `select repeat('x', 1000000000)` takes 4 GB and 24 seconds past DuckDB's memory limit. So the operating system
holds this process to its memory and time, and whoever started it can end it. It is given no environment, and imports
nothing of ours.

It reads a JSON object from its input: `path` of the CSV (UTF-8), `sql`, `most_rows`, `memory_mb`, `cpu_s`. It writes
`{"columns": [...], "rows": [[...]], "more": bool}`, every value as text or null, or `{"error": "..."}`.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

import duckdb

_CELL_LIMIT = 500
_ENGINE_MB = 256


def main() -> None:
    """Answer the one query on the input."""
    asked = json.load(sys.stdin)
    _hold_down(memory_mb=asked["memory_mb"], cpu_s=asked["cpu_s"])
    try:
        answer = _answer(asked["path"], asked["sql"], asked["most_rows"])
    except (duckdb.Error, ValueError) as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "The query needs more memory than it may have."}
    json.dump(answer, sys.stdout)


def _hold_down(*, memory_mb: int, cpu_s: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # not every system has all of these limits
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))


def _answer(path: str, sql: str, most_rows: int) -> dict[str, Any]:
    connection = _locked_down(path)
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise ValueError("Only a single SELECT is possible.")
    connection.execute(statements[0])
    columns = [column[0] for column in connection.description or ()]
    rows = connection.fetchmany(most_rows + 1)
    return {
        "columns": columns,
        "rows": [[_text(value) for value in row] for row in rows[:most_rows]],
        "more": len(rows) > most_rows,
    }


def _locked_down(path: str) -> duckdb.DuckDBPyConnection:
    """A connection to nothing but the table `data`; it cannot reach files, networks, extensions or Python's names."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{_ENGINE_MB}MB",
            "threads": 1,
            "temp_directory": "",
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "python_enable_replacements": False,
        },
    )
    connection.execute("create table data as select * from read_csv($path)", {"path": path})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= _CELL_LIMIT else f"{text[:_CELL_LIMIT]}…"


if __name__ == "__main__":
    main()
