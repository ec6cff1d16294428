"""Statements as the PostgreSQL server takes them, for a store that lives on one.

DuckDB's own plan of a statement over attached tables reads the rows that simple conditions name and does the rest
itself. That is right for a report and wrong for `update ... where id = $id`, which it turns into a look for the rows'
places and a table of changes, for upserts, which read the whole table, and for joins. So the small statements go to the
server as text (docs/adr/0015).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

# The first line of a statement may say who runs it, where that is not what `runs_on_server` would find.
_MARK = re.compile(r"\s*-- (server|duckdb)\b")
_PARTS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|\$(\w+)")
_WRITES = re.compile(r"\s*(update|delete from|insert into [\w.\"]+ *(\([^()]*\))?\s*values)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(with|select)\b.*\bfrom\b", re.IGNORECASE | re.DOTALL)
# Words before a bracket that mean the same on both. Sums and averages do not: PostgreSQL gives a numeric without
# a scale, which would arrive as a float. Neither does lower(), which follows the collation.
_SHARED_WORDS = frozenset(
    {
        "and",
        "as",
        "by",
        "coalesce",
        "count",
        "distinct",
        "exists",
        "filter",
        "from",
        "in",
        "join",
        "list_contains",
        "max",
        "min",
        "not",
        "nullif",
        "on",
        "or",
        "over",
        "partition",
        "row_number",
        "select",
        "then",
        "unnest",
        "values",
        "when",
        "where",
    }
)
_CALLS = re.compile(r"(\w+)\s*\(")
# Spellings that DuckDB alone reads, or reads otherwise.
_DUCKDBS = re.compile(r"[\[{/%]|->|:=|\b(anti|asof|semi|qualify|exclude|replace|like|all|json)\b", re.IGNORECASE)
_MADE = re.compile(r"^create or replace (?:view|macro) (\w+)", re.MULTILINE)
_ONE_OF = re.compile(r"list_contains\((\$\w+), ([\w.]+)\)", re.IGNORECASE)
_JUST = re.compile(r"list_contains\(\[(\$\w+)\], ([\w.]+)\)", re.IGNORECASE)
_DESCENDING = re.compile(r"\bdesc\b(?!\s+nulls)", re.IGNORECASE)
# A column of a table as our migrations write it: one on a line, or added to a table.
_COLUMN = re.compile(r"^(\s*(?:alter table \w+ add column )?)(\w+) (text|double)\b(?! precision)", re.MULTILINE)
_TYPES = {"text": 'text collate "C"', "double": "double precision"}
_COMPRESSION = re.compile(r" using compression \w+")


@cache
def runs_on_server(sql: str) -> bool:
    """Whether a statement goes to PostgreSQL as text.

    Writes of named rows do, and questions in words that mean the same on both. `-- server` or `-- duckdb` as the first
    line of a statement overrules that.
    """
    if mark := who_runs(sql):
        return mark == "server"
    plain = _JUST.sub("list_contains($1, $2)", _without_text(sql))
    if _WRITES.match(plain):
        return True
    known = all(word.lower() in _SHARED_WORDS for word in _CALLS.findall(plain))
    duckdbs = _DUCKDBS.search(plain) or not made_by_us().isdisjoint(re.findall(r"\w+", plain.lower()))
    return _READS.match(plain) is not None and known and not duckdbs


def who_runs(sql: str) -> str | None:
    """What the first line of a statement, or of a migration, says: "server", "duckdb", or nothing of it."""
    mark = _MARK.match(sql)
    return None if mark is None else mark[1]


@cache
def made_by_us() -> frozenset[str]:
    """The names of the program's views and macros (`views/*.sql`), which live in DuckDB and not on the server."""
    texts = (entry.read_text(encoding="utf-8") for entry in files("core.store").joinpath("views").iterdir())
    return frozenset(name for text in texts for name in _MADE.findall(text))


def _without_text(sql: str) -> str:
    return _PARTS.sub(lambda match: match[0] if match[1] is not None else "''", sql).replace("''\n", "\n")


@cache
def _in_servers_words(sql: str) -> str:
    """The same statement where the two have different words for one thing.

    DuckDB puts nulls last in both directions, PostgreSQL before everything else when it goes down.
    """
    spelt = _JUST.sub(r"\2 = \1", _ONE_OF.sub(r"\2 = any(\1)", sql))
    return _DESCENDING.sub("desc nulls last", spelt)


def with_values(sql: str, parameters: Mapping[str, Any]) -> str:
    """The statement without comments and with each `$name` replaced by its value as a literal.

    Raises KeyError for a parameter that was not given.
    """

    def part(match: re.Match[str]) -> str:
        if match[1] is not None:
            return literal(parameters[match[1]])
        return "" if match[0].startswith("--") else match[0]

    return _PARTS.sub(part, _in_servers_words(sql)).strip().rstrip(";")


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
