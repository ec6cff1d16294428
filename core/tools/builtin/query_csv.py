"""SQL over an attached CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from core.chat.conversation import AttachmentKind
from core.store.csv_query import CsvQueryError, CsvResult, query_csv
from core.tools.files import find_file
from core.tools.tool import Tool, ToolContext, ToolError

_KINDS: frozenset[AttachmentKind] = frozenset({"csv"})
_MOST_ROWS = 100
# Under the limit of a call, so that the reason reaches the model.
_SHARE_OF_TIME = 0.9


def _query(arguments: Mapping[str, Any], context: ToolContext) -> str:
    attached = find_file(context.files, arguments.get("file"), kinds=_KINDS)
    try:
        found = query_csv(
            attached.text or "",
            arguments["sql"],
            most_rows=_MOST_ROWS,
            most_s=context.limits.seconds * _SHARE_OF_TIME,
            on_interrupt=context.on_interrupt,
        )
    except CsvQueryError as error:
        raise ToolError(f"{error} Query the table data with one SELECT; DESCRIBE data lists its columns.") from error
    return _as_text(found)


def _as_text(found: CsvResult) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows([["NULL" if value is None else value for value in row] for row in found.rows])
    count = f"{len(found.rows)} {'row' if len(found.rows) == 1 else 'rows'}"
    if found.more:
        count = f"The first {count}; there are more. Aggregate, or narrow it down"
    return f"{out.getvalue()}({count})"


TOOL = Tool(
    name="query_csv",
    label="Query a CSV",
    description=(
        "Runs one SELECT in DuckDB's SQL over a CSV file that the person attached, as the table `data`. "
        "For every sum, count, filter or ranking over its rows: it is exact. `DESCRIBE data` lists the columns. "
        "At most 100 rows come back."
    ),
    schema={
        "type": "object",
        "properties": {
            "sql": {"type": "string", "minLength": 1, "maxLength": 10_000},
            "file": {"type": "string", "description": "Its name. Left out: the only CSV."},
        },
        "required": ["sql"],
        "additionalProperties": False,
    },
    run=_query,
    needs=_KINDS,
)
