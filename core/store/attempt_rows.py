"""The one place that writes the ledger, for both kinds of store: rows come and go as `attempts` shows them.

In a PostgreSQL `attempts` is a table. In a file it is a view over `attempt_rows`, which keeps ids as 16 bytes and says
nothing twice (docs/adr/0017): what is left out here, the view puts back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from core.store.database import Cursor
from core.store.sql import load_queries

# As DuckDB writes a UUID: any other spelling is kept as the text that it is.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Columns that have another value than null where a statement does not name them.
_WITH_DEFAULT = frozenset({"cache_write_1h_tokens", "audio_tokens", "audio_output_tokens", "counted_by_us"})
_MICROSECOND = timedelta(microseconds=1)
_SQL = load_queries("attempt_rows")


def record_row(cur: Cursor, row: Mapping[str, Any]) -> None:
    """Append one row: every column of `attempts` by name. Twice as fast as `take_rows` of one row (measured)."""
    if cur.shared:
        cur.execute(_SQL["record"], **row)
        return
    # A third of the columns is null as a rule, and naming them would cost as much as the others do.
    given = {name: value for name, value in _compact(row).items() if value is not None or name in _WITH_DEFAULT}
    values = ", ".join(f"${name}" for name in given)
    cur.execute(f"insert into attempt_rows ({', '.join(given)}) values ({values})", **given)  # noqa: S608 - names of ours


def record_rows(cur: Cursor, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append many such rows at once."""
    if cur.shared:
        cur.append("attempts", rows)
    else:
        cur.append("attempt_rows", [_compact(row) for row in rows])


def take_rows(cur: Cursor, rows: str, /, **parameters: Any) -> None:
    """Append all of `rows` in their order: the name of a table or a query in brackets.

    It has columns of `attempts` in any order, with `parent_id`, `first_token_at` and the three costs among them.
    """
    sql = _SQL["take" if cur.shared else "take_into_file"]
    cur.execute(sql.replace("{rows}", rows), **parameters)


def take_table(cur: Cursor, rows: pa.Table) -> None:
    """Append the rows of an Arrow table."""
    with cur.reading("appended", rows):
        take_rows(cur, "appended")


def take_out_rows(cur: Cursor, condition: str = "true", /, **parameters: Any) -> None:
    """Delete the rows of `attempts` that meet a condition: for what was never a call, as those of the demo."""
    if cur.shared:
        cur.execute(f"delete from attempts where {condition}", **parameters)  # noqa: S608 - conditions of ours
    else:
        cur.execute(_SQL["take_out_of_file"].replace("{condition}", condition), **parameters)


def _compact(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a file keeps it: what `take_into_file` makes of it."""
    given = dict(row)
    started_at, first_token_at = given["started_at"], given.pop("first_token_at")
    own = None if given["id"] == given["turn_id"] else given["id"]
    for name, value in (("id", own), ("turn_id", given["turn_id"]), ("parent_id", given["parent_id"])):
        given[name], given[f"{name}_text"] = _uuid_or_text(value)
    given["first_token_us"] = _microseconds(started_at, first_token_at)
    for which in ("computed", "reported"):
        given[f"{which}_is_cost"] = given[f"{which}_cost_usd"] == given["cost_usd"]
        if given[f"{which}_is_cost"]:
            given[f"{which}_cost_usd"] = None
    return given


def _uuid_or_text(value: str | None) -> tuple[str | None, str | None]:
    if value is None or _UUID.fullmatch(value):
        return value, None
    return None, value


def _microseconds(begin: datetime, end: datetime | None) -> int | None:
    return None if end is None else (end - begin) // _MICROSECOND
