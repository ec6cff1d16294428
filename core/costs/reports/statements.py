"""Statements of `queries/usage.sql`, completed with what somebody chose. Only expressions of ours go into a text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from core.costs.usage_filter import COLUMNS, Clause, UsageFilter, Viewer, clause
from core.store.database import Cursor, Row
from core.store.sql import load_queries

NOTHING = Decimal(0)

# What calls are grouped by: the lists of a filter, one by one.
GROUPS: Mapping[str, str] = {
    "person": COLUMNS["users"],
    "model": COLUMNS["models"],
    "provider": COLUMNS["providers"],
    "use_case": COLUMNS["use_cases"],
    "source": COLUMNS["sources"],
    "status": COLUMNS["statuses"],
    "code": COLUMNS["codes"],
}


def fetch(
    cur: Cursor,
    name: str,
    chosen: UsageFilter,
    *,
    viewer: Viewer,
    expressions: Mapping[str, Clause | str] | None = None,
    **parameters: object,
) -> list[Row]:
    """The rows of a statement over the calls of a filter that this viewer may see.

    The text has `{where}` for those calls and a name in braces for each of the `expressions`.
    """
    where = clause(chosen, viewer=viewer)
    sql = load_queries("usage")[name].replace("{where}", where.sql)
    given = dict(where.parameters) | parameters
    for place, expression in (expressions or {}).items():
        found = expression if isinstance(expression, Clause) else Clause(sql=expression)
        sql = sql.replace(f"{{{place}}}", found.sql)
        given |= found.parameters
    return cur.fetch_all(sql, **given)
