"""Which table a statement writes to: what was read of others is kept."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from core.store.sql import parse_queries
from core.store.written import ANY_TABLE, written_table

_WRITING = re.compile(r"^\s*(insert|update|delete)\b", re.MULTILINE)
_QUERIES = {
    (entry.name, name): sql
    for entry in files("core.store").joinpath("queries").iterdir()
    for name, sql in parse_queries(entry.read_text(encoding="utf-8")).items()
}


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("insert into users (id) values ($id)", "users"),
        ("-- a word about it\n-- and another\ninsert or replace into Users select 1", "users"),
        ("  update api_tokens set revoked_at = $now", "api_tokens"),
        ('delete from "users" where id = $id', "users"),
        ("select 'update users' from turns", None),
        ("with found as (select 1) select * from found", None),
        ("begin transaction", None),
        ("with found as (select 1) insert into users select * from found", ANY_TABLE),
        ("select 1; update users set role = 'admin';", ANY_TABLE),
        ("update users set role = role;", "users"),
        ("-- counted apart; what is left\nselect 1 -- and more; much more", None),
        ("select 'a; b', 'it''s; -- so' from turns", None),
        ("select '--'; update users set role = 'admin'", ANY_TABLE),
        ("drop table users", ANY_TABLE),
        ('insert into "store".users values ($id)', ANY_TABLE),
        ("delete from main.users", ANY_TABLE),
        ("merge into users using other on true when matched then delete", ANY_TABLE),
        ("call postgres_execute('store', $text)", ANY_TABLE),
    ],
)
def test_a_statement_says_what_it_writes_to(sql: str, table: str | None) -> None:
    assert written_table(sql) == table


@pytest.mark.parametrize("query", sorted(_QUERIES))
def test_no_query_of_ours_writes_unseen(query: tuple[str, str]) -> None:
    plain, table = re.sub(r"--[^\n]*", "", _QUERIES[query]), written_table(_QUERIES[query])
    # Whatever it is taken for beside that only costs a read.
    assert table is not None or not _WRITING.search(plain)
    assert table is None or table == ANY_TABLE or re.search(rf"(into|update|from)\s+{table}\b", plain)
