"""Statements as the PostgreSQL server takes them, for a store that lives on one.

DuckDB's own plan of a statement over attached tables reads the rows that simple conditions name and does the rest
itself. That is right for a report and wrong for `update ... where id = $id`, which it turns into a look for the rows'
places and a table of changes, for upserts, which read the whole table, and for joins. So the small statements go to the
server as text (docs/adr/0012).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

# The first line of a statement may say who runs it, where that is not what `runs_on_server` would find.
_MARK = re.compile(r"\s*-- (server|duckdb)\b")
_COMMENTS = re.compile(r"(?:\s+|--[^\n]*\n)*")
_WRITES = re.compile(r"(update|delete from|insert into [\w.\"]+ *(\([^()]*\))?\s*values)\b", re.IGNORECASE)
_PARTS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|\$(\w+)")
# A column of a table as our migrations write it: one on a line, or added to a table.
_COLUMN = re.compile(r"^(\s*(?:alter table \w+ add column )?)(\w+) (text|double)\b(?! precision)", re.MULTILINE)
_TYPES = {"text": 'text collate "C"', "double": "double precision"}
_COMPRESSION = re.compile(r" using compression \w+")


@cache
def runs_on_server(sql: str) -> bool:
    """Whether a statement goes to PostgreSQL as it is: a write of single rows, or one that is marked `-- server`.

    `-- duckdb` as its first line keeps a write with DuckDB, for one that uses DuckDB's functions.
    """
    if mark := _MARK.match(sql):
        return mark[1] == "server"
    begin = _COMMENTS.match(sql)
    return _WRITES.match(sql, begin.end() if begin else 0) is not None


def with_values(sql: str, parameters: Mapping[str, Any]) -> str:
    """The statement without comments and with each `$name` replaced by its value as a literal.

    Raises KeyError for a parameter that was not given.
    """

    def part(match: re.Match[str]) -> str:
        if match[1] is not None:
            return literal(parameters[match[1]])
        return "" if match[0].startswith("--") else match[0]

    return _PARTS.sub(part, sql).strip().rstrip(";")


def literal(value: object) -> str:
    """A value as PostgreSQL reads it, with `standard_conforming_strings` on, which we set for every connection.

    PostgreSQL has no NUL in a text: it becomes U+FFFD. Raises TypeError for what no column of ours holds.
    """
    match value:
        case None | bool():
            text = {None: "null", True: "true", False: "false"}[value]
        case str():
            text = _quoted(value)
        case int():
            text = f"({value})"
        case Decimal():
            text = f"({value:f})"
        case float():
            text = f"{_quoted(repr(value))}::double precision"
        case datetime():
            text = f"timestamp {_quoted(value.isoformat(sep=' '))}"
        case date():
            text = f"date {_quoted(value.isoformat())}"
        case list() | tuple():
            text = f"array[{', '.join(literal(one) for one in value)}]{_array_type(value)}"
        case _:
            raise TypeError(f"no literal for {type(value).__name__}")
    return text


def ddl(sql: str) -> str:
    """The text of a migration as PostgreSQL takes it.

    Texts compare by bytes, as in DuckDB: the same order on both, and an index that DuckDB's conditions can use, which
    ask for that collation.
    """
    typed = _COLUMN.sub(lambda match: f"{match[1]}{match[2]} {_TYPES[match[3]]}", sql)
    return _COMPRESSION.sub("", typed)


def _quoted(text: str) -> str:
    return "'" + text.replace("\0", "�").replace("'", "''") + "'"


def _array_type(values: list[Any] | tuple[Any, ...]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int}:
        return "::bigint[]" if kinds else "::text[]"
    if kinds <= {datetime}:
        return "::timestamp[]"
    return "::text[]"
