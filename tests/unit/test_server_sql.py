"""Which statements go to a PostgreSQL server as text, and what they look like there."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.store.server_sql import ddl, literal, runs_on_server, with_values


@pytest.mark.parametrize(
    "sql",
    [
        "update t set a = $a where id = $id",
        "-- why\ndelete from t where id = $id",
        "insert into t (a, b)\nvalues ($a, $b) on conflict (a) do update set b = excluded.b",
        "select a from t where id = $id order by a desc limit $limit",
        "select count(*) as n from t where a in (select unnest($ids)) and coalesce(b, 'sum(x)') <> ''",
        "select a from t where list_contains([$user_id], user_id)",
        "with mine as (select a from t) select a from mine",
        "-- server\nselect strange(a) from t",
    ],
)
def test_writes_and_plain_questions_go_to_the_server(sql):
    assert runs_on_server(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into t (a) select a from other",
        "select sum(a) as a from t",
        "select lower(a) as a from t",
        "select a / 2 as half from t",
        "select a from ledger",
        "select count(*) as n from measured_calls as calls",
        "select 1 as one",
        "select {'a': a} as s from t",
        "create or replace temp table t (a text)",
        "-- duckdb\nselect a from staged",
    ],
)
def test_what_only_duckdb_says_or_means_stays_with_duckdb(sql):
    assert not runs_on_server(sql)


def test_values_take_the_places_of_their_names_and_of_nothing_else():
    sql = "select a, '$a' as b -- not $a\nfrom t where a = $a and c = $ab and list_contains($ids, id) order by a desc;"

    assert with_values(sql, {"a": "x", "ab": -1, "ids": ["p", "q"]}) == (
        "select a, '$a' as b \nfrom t where a = 'x' and c = (-1) and id = any(array['p', 'q']::text[])"
        " order by a desc nulls last"
    )


def test_a_value_is_never_read_as_a_part_of_the_statement():
    assert with_values("select $a as a from t where b = $b", {"a": "$b", "b": "'; drop table t; --"}) == (
        "select '$b' as a from t where b = '''; drop table t; --'"
    )


def test_a_name_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        with_values("select a from t where a = $a", {})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "(7)"),
        (Decimal("1E-9"), "(0.000000001)"),
        (1.5, "'1.5'::double precision"),
        (datetime(2026, 1, 2, 3, 4, 5, 6), "timestamp '2026-01-02 03:04:05.000006'"),  # noqa: DTZ001 - the store's form
        (date(2026, 1, 2), "date '2026-01-02'"),
        ([], "array[]::text[]"),
        ([1, 2], "array[(1), (2)]::bigint[]"),
    ],
)
def test_every_kind_of_value_has_a_literal(value, text):
    assert literal(value) == text


def test_a_value_that_no_column_holds_is_refused():
    with pytest.raises(TypeError, match="object"):
        literal(object())


@given(st.text())
def test_quotes_in_a_text_are_doubled_and_nothing_else_ends_it(text):
    inner = literal(text)[1:-1]

    assert inner.replace("''", "'") == text.replace("\0", "�")
    assert "'" not in inner.replace("''", "")


def test_a_migration_gets_postgresqls_types():
    sql = "create table t (\n    id text primary key,   -- a text\n    body text not null using compression x,\n"
    sql += "    ms double\n);"

    assert ddl(sql) == (
        'create table t (\n    id text collate "C" primary key,   -- a text\n    body text collate "C" not null,\n'
        "    ms double precision\n);"
    )
    assert ddl("alter table t add column note text;") == 'alter table t add column note text collate "C";'
