"""Calls that were made elsewhere, taken into the ledger from a file: every row judged, none taken twice.

The rows are read as text and judged inside DuckDB, set by set: a million takes seconds, and an amount of money never
passes through a float. What came of each row waits in a file beside, so that the memory it takes is that of the ids.
Only while no server runs, which the store's lock sees to.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.costs.ledger import OUT_OF_MONEY, PLACEHOLDER
from core.costs.tabular import BadRow, Progress, Table, lines_of, open_table
from core.costs.usage_layouts import FIELDS, OWN, UsageLayout, find_layout
from core.errors import ErrorClass, ImportRefused
from core.store.attempt_rows import take_rows
from core.store.database import Cursor, Database
from core.store.sql import load_queries
from core.store.table_files import RowFile, read_typed

_SQL = load_queries("usage_import")
_MACROS = ("moment", "whole", "dollars", "quoted", "one_line", "usage_of", "import_id", "true_word")
# How a call can have ended: another word, such as an HTTP status, would count as a failure of its model.
_STATUSES = ["ok", "stopped", "interrupted", OUT_OF_MONEY, *(failure.value for failure in ErrorClass)]
# The column of a file of our own that says where a row stood: no field is called so.
_LINE = "line"

Record = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file. `new` calls were taken (or would be), `present` were in the ledger already.

    `repeated` rows say the same as an earlier row of the file. `unknown_people` are names and their new calls.
    Times are naive UTC; `cost_usd` leaves out the `unpriced` calls.
    """

    layout: str
    rows: int
    new: int
    present: int
    repeated: int
    bad: tuple[BadRow, ...]
    unknown_people: Mapping[str, int]
    cost_usd: Decimal
    unpriced: int
    first: datetime | None
    last: datetime | None


def import_usage(
    database: Database,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    people: Mapping[str, str] | None = None,
    everybody_else: str | None = None,
    dry_run: bool = False,
    record: Record,
    progress: Progress = lambda _: None,
) -> Imported:
    """Take the calls of a file into the ledger, all or none; with `dry_run` only say what would come.

    `people` says who a name in the file is (theirs: our username), `everybody_else` whose the calls of unknown names
    are; without it they belong to a placeholder of that name. Raises ImportRefused.
    """
    # What is staged lives with this cursor, and reading a file that does not fit would end a transaction.
    with tempfile.TemporaryDirectory(prefix="switchboard-import-") as folder, database.cursor() as cur:
        owner = _name_people(cur, people or {}, everybody_else)
        for macro in _MACROS:
            cur.execute(_SQL[macro])
        typed = Path(folder) / "typed.parquet"
        with open_table(path, progress=progress) as table:
            layout = find_layout(table.columns, mapping)
            file = RowFile(path=path, delimiter=table.delimiter, columns=layout.columns)
            at_once = _read(cur, file, layout, typed, progress)
            bad = [] if at_once else _read_in_batches(cur, table, layout, Path(folder))
        found = _judge(cur, layout, typed, bad)
        if not dry_run and found.new:
            _take(cur, found, path.name, typed=typed, owner=owner, record=record)
    return replace(found, bad=_on_their_lines(found.bad, path)) if at_once else found


def _read(cur: Cursor, file: RowFile, layout: UsageLayout, typed: Path, progress: Progress) -> bool:
    given = {"own": layout.name == OWN, "statuses": _STATUSES}
    return read_typed(cur, file, fields=FIELDS, select=_SQL["typed"], into=typed, progress=progress, **given)


def _take(cur: Cursor, found: Imported, name: str, *, typed: Path, owner: str | None, record: Record) -> None:
    in_order = cur.fetch_one(_SQL["in_order"], typed=str(typed))
    order = "" if in_order and in_order["in_order"] else "order by began, call_id"
    calls = _SQL["calls"].replace("{order}", order)
    cur.execute("begin transaction")
    take_rows(cur, f"({calls})", typed=str(typed), everybody_else=owner, placeholder=PLACEHOLDER)
    after = {"layout": found.layout, "calls": found.new, "cost_usd": str(found.cost_usd)}
    record(cur, actor_id=None, action="usage.import", subject=name, after=after)
    cur.execute("commit")


def _on_their_lines(bad: Sequence[BadRow], path: Path) -> tuple[BadRow, ...]:
    """Rows that were counted as one line each, named by where they are: cells may go over lines, lines may be empty."""
    if not bad:
        return ()
    with open_table(path, progress=lambda _: None) as table:
        lines = dict(zip(count(2), lines_of(table), strict=False))
    return tuple(BadRow(lines[row.line], row.reason) for row in bad)


def _read_in_batches(cur: Cursor, table: Table, layout: UsageLayout, folder: Path) -> list[BadRow]:
    """Slower, for a file with rows that do not fit: those are named, the others written to one that fits."""
    places = {field: table.columns.index(column) for field, column in layout.columns.items()}
    schema = pa.schema([(_LINE, pa.int64()), *((field, pa.string()) for field in places)])
    whole = folder / "whole.parquet"
    bad: list[BadRow] = []
    with pq.ParquetWriter(whole, schema) as writer:
        for batch in table.batches:
            bad += batch.bad
            columns = list(zip(*batch.rows, strict=True)) or [()] * len(table.columns)
            cells = {field: list(columns[place]) for field, place in places.items()}
            writer.write_table(pa.table({_LINE: batch.lines, **cells}, schema=schema))
    file = RowFile(path=whole, delimiter=None, columns={field: field for field in places}, line=_LINE)
    if not _read(cur, file, layout, folder / "typed.parquet", lambda _: None):
        raise AssertionError("rows that were written here fit")
    return bad


def _name_people(cur: Cursor, people: Mapping[str, str], everybody_else: str | None) -> str | None:
    for ours in people.values():
        _user_id(cur, ours)
    cur.execute("create or replace temp table given_people (theirs text, ours text)")
    cur.append("given_people", [{"theirs": theirs, "ours": ours} for theirs, ours in people.items()])
    cur.execute(_SQL["stage_people"])
    return _user_id(cur, everybody_else)


def _user_id(cur: Cursor, username: str | None) -> str | None:
    if username is None:
        return None
    row = cur.fetch_one(_SQL["user_id"], username=username)
    if row is None:
        raise ImportRefused(f"There is nobody called {username}.", next_step="Give the username of a person here.")
    return str(row["id"])


def _judge(cur: Cursor, layout: UsageLayout, typed: Path, bad: list[BadRow]) -> Imported:
    kept = {"typed": str(typed)}
    cur.execute(_SQL["name_calls"], layout=layout.name, **kept)
    for step in ("find_repeated", "find_present"):
        cur.execute(_SQL[step])
    counts = cur.fetch_one(_SQL["counts"], **kept) or {}
    cur.execute(_SQL["leave_out"])
    counts["new"] -= counts["present"] + counts["repeated"]
    problems = [*bad, *(BadRow(**row) for row in cur.fetch_all(_SQL["problems"], **kept))]
    return Imported(
        layout=layout.name,
        **{**counts, "rows": counts["rows"] + len(bad)},
        bad=tuple(sorted(problems, key=lambda row: row.line)),
        unknown_people={row["name"]: row["calls"] for row in cur.fetch_all(_SQL["unknown_people"], **kept)},
        **(cur.fetch_one(_SQL["summary"], **kept) or {}),
    )
