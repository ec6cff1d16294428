"""SQL over a CSV that somebody attached, without a way to anything else (core/store/csv_child.py says how)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_CHILD = Path(__file__).with_name("csv_child.py")
# DuckDB itself is held to 256 MB; Python and the library take some 600 MB of addresses before the first row.
_MEMORY_MB = 1536


@dataclass(frozen=True, slots=True)
class CsvResult:
    """What a query found, every value as text; `more`: there are rows beyond these."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    more: bool


class CsvQueryError(Exception):
    """A query that could not be answered; the text says why."""


def query_csv(
    text: str, sql: str, *, most_rows: int, most_s: float, on_interrupt: Callable[[Callable[[], None]], None]
) -> CsvResult:
    """Run one SELECT over `text` as the table `data`.

    `on_interrupt` is given what ends the query early, to be called from any thread. Blocks for `most_s` seconds at
    most. Raises CsvQueryError.
    """
    with tempfile.TemporaryDirectory(prefix="switchboard-csv-") as folder:
        path = Path(folder, "data.csv")
        path.write_text(text, encoding="utf-8")
        asked = {
            "path": str(path),
            "sql": sql,
            "most_rows": most_rows,
            "memory_mb": _MEMORY_MB,
            "cpu_s": max(1, round(most_s)),
        }
        return _result(_ask(json.dumps(asked), most_s=most_s, on_interrupt=on_interrupt))


def _ask(asked: str, *, most_s: float, on_interrupt: Callable[[Callable[[], None]], None]) -> str:
    # Isolated and without an environment: no key can be read there.
    command = [sys.executable, "-I", str(_CHILD)]
    with subprocess.Popen(  # noqa: S603 - our own file
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        encoding="utf-8",
    ) as child:
        on_interrupt(child.kill)
        try:
            answer, _ = child.communicate(asked, timeout=most_s)
        except subprocess.TimeoutExpired:
            child.kill()
            raise CsvQueryError(f"The query took longer than {most_s:g} seconds and was stopped.") from None
    return answer


def _result(answer: str) -> CsvResult:
    try:
        found = json.loads(answer)
    except ValueError:
        raise CsvQueryError("The query was stopped: it took too long or needed too much memory.") from None
    if "error" in found:
        raise CsvQueryError(found["error"])
    return CsvResult(found["columns"], found["rows"], found["more"])
