"""Calls that were made elsewhere, taken into the ledger from a file: every row judged, none taken twice.

The rows are staged as text and judged inside DuckDB, set by set: a million takes seconds, and an amount of money never
passes through a float. Only while no server runs, which the store's lock sees to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

import pyarrow as pa

from core.costs.tabular import BadRow, Batch, Progress, Table, lines_of, open_table
from core.costs.usage_layouts import FIELDS, OWN, UsageLayout, find_layout
from core.errors import ImportRefused
from core.store.database import Cursor, Database
from core.store.sql import load_queries
from core.store.table_files import read_into

# What stands before the name of a person whom nobody here knows.
PLACEHOLDER = "import:"

_SQL = load_queries("usage_import")
_MACROS = ("moment", "whole", "dollars", "is_amount", "of_usage", "import_id", "quoted")

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
    with database.cursor() as cur:
        owner = _name_people(cur, people or {}, everybody_else)
        with open_table(path, progress=progress) as table:
            layout = find_layout(table.columns, mapping)
            _make_stage(cur)
            at_once = _stage_at_once(cur, path, table, layout, progress)
            bad = [] if at_once else _stage_in_batches(cur, table, layout)
        found = _judge(cur, layout, bad)
        if not dry_run and found.new:
            cur.execute("begin transaction")
            cur.execute(_SQL["take"], everybody_else=owner, placeholder=PLACEHOLDER)
            after = {"layout": found.layout, "calls": found.new, "cost_usd": str(found.cost_usd)}
            record(cur, actor_id=None, action="usage.import", subject=path.name, after=after)
            cur.execute("commit")
    return replace(found, bad=_on_their_lines(found.bad, path)) if at_once else found


def _make_stage(cur: Cursor) -> None:
    for macro in _MACROS:
        cur.execute(_SQL[macro])
    columns = ", ".join(f"\"{field}\" text default ''" for field in FIELDS)
    cur.execute(f"create or replace temp table incoming (line bigint, {columns})")


def _stage_at_once(cur: Cursor, path: Path, table: Table, layout: UsageLayout, progress: Progress) -> bool:
    return read_into(cur, path, delimiter=table.delimiter, columns=layout.columns, table="incoming", progress=progress)


def _on_their_lines(bad: Sequence[BadRow], path: Path) -> tuple[BadRow, ...]:
    """Rows that were counted as one line each, named by where they are: cells may go over lines, lines may be empty."""
    if not bad:
        return ()
    with open_table(path, progress=lambda _: None) as table:
        lines = dict(zip(count(2), lines_of(table), strict=False))
    return tuple(BadRow(lines[row.line], row.reason) for row in bad)


def _stage_in_batches(cur: Cursor, table: Table, layout: UsageLayout) -> list[BadRow]:
    """Slower, for a file with rows that do not fit: those are named, the others staged."""
    places = {field: table.columns.index(column) for field, column in layout.columns.items()}
    bad: list[BadRow] = []
    for batch in table.batches:
        bad += batch.bad
        _stage_batch(cur, batch, places)
    return bad


def _stage_batch(cur: Cursor, batch: Batch, places: Mapping[str, int]) -> None:
    if not batch.rows:
        return
    columns = list(zip(*batch.rows, strict=True))
    arrow = pa.table({"line": batch.lines, **{field: columns[place] for field, place in places.items()}})
    names = ", ".join(f'"{field}"' for field in places)
    trimmed = ", ".join(f'trim("{field}")' for field in places)
    with cur.reading("batch", arrow):
        cur.execute(f"insert into incoming (line, {names}) select line, {trimmed} from batch")  # noqa: S608 - our names


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


def _judge(cur: Cursor, layout: UsageLayout, bad: list[BadRow]) -> Imported:
    cur.execute(_SQL["judge"])
    cur.execute(_SQL["identify"], own=layout.name == OWN, layout=layout.name)
    problems = [*bad, *(BadRow(**row) for row in cur.fetch_all(_SQL["problems"]))]
    rows = cur.fetch_one("select count(*) as rows from incoming") or {"rows": 0}
    return Imported(
        layout=layout.name,
        rows=rows["rows"] + len(bad),
        bad=tuple(sorted(problems, key=lambda row: row.line)),
        unknown_people={row["name"]: row["calls"] for row in cur.fetch_all(_SQL["unknown_people"])},
        **(cur.fetch_one(_SQL["summary"]) or {}),
    )
