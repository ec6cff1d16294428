"""The ledger gives back what was written, however a store keeps it: row by row, many at once, and moved from before."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.ids import new_id
from core.store.attempt_rows import record_row, record_rows, take_out_rows, take_rows, take_table
from core.store.database import Database
from core.store.migrate import migrate, shipped_migrations

# naive UTC is the store's own form
AT = datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001
COLUMNS = {
    "id": pa.string(),
    "turn_id": pa.string(),
    "parent_id": pa.string(),
    "conversation_id": pa.string(),
    "user_id": pa.string(),
    "source": pa.string(),
    "use_case": pa.string(),
    "requested_model": pa.string(),
    "served_model": pa.string(),
    "upstream_model": pa.string(),
    "provider": pa.string(),
    "parameters": pa.string(),
    "started_at": pa.timestamp("us"),
    "first_token_at": pa.timestamp("us"),
    "ended_at": pa.timestamp("us"),
    "input_tokens": pa.int64(),
    "cached_input_tokens": pa.int64(),
    "cache_write_tokens": pa.int64(),
    "image_tokens": pa.int64(),
    "output_tokens": pa.int64(),
    "reasoning_tokens": pa.int64(),
    "computed_cost_usd": pa.decimal128(18, 9),
    "reported_cost_usd": pa.decimal128(18, 9),
    "cost_usd": pa.decimal128(18, 9),
    "cost_code": pa.string(),
    "price_version": pa.string(),
    "status": pa.string(),
    "error_message": pa.string(),
    "fallback_of": pa.string(),
    "cached": pa.bool_(),
    "cache_saved_usd": pa.decimal128(18, 9),
    "cache_write_1h_tokens": pa.int64(),
    "audio_tokens": pa.int64(),
    "audio_output_tokens": pa.int64(),
    "service_tier": pa.string(),
    "counted_by_us": pa.bool_(),
}
_NULLABLE = frozenset(
    [
        "conversation_id",
        "use_case",
        "served_model",
        "upstream_model",
        "price_version",
        "error_message",
        "fallback_of",
        "cache_saved_usd",
        "service_tier",
    ]
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_UUIDS = st.uuids().map(str)
# Spellings that the type UUID takes and would not give back.
_OTHERS = st.sampled_from(
    ["", "0", "chatcmpl-1", new_id().upper(), f"{{{new_id()}}}", uuid.uuid4().hex, f"{new_id()}\n"]
)
# Of three, so that they are the same now and then.
_COSTS = st.none() | st.sampled_from([Decimal(0), Decimal("0.000000001"), Decimal("123456789.123456789")])
_FIRST, _LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001
_MOMENTS = st.datetimes(min_value=_FIRST, max_value=_LAST)
_KINDS = {
    pa.string(): TEXTS,
    pa.timestamp("us"): _MOMENTS,
    pa.int64(): st.integers(-(2**62), 2**62),
    pa.decimal128(18, 9): _COSTS,
    pa.bool_(): st.booleans(),
}


@st.composite
def _rows(draw):
    row = {name: draw(_value(name)) for name in COLUMNS}
    turn, other = draw(_UUIDS | _OTHERS), draw(_UUIDS | _OTHERS)
    own, parent = draw(st.sampled_from([turn, other])), draw(st.sampled_from([None, turn, other]))
    return {**row, "id": own, "turn_id": turn, "parent_id": parent, "first_token_at": draw(st.none() | _MOMENTS)}


def _value(name):
    values = _KINDS[COLUMNS[name]]
    return st.none() | values if name in _NULLABLE else values


def _row(**given):
    kinds = {pa.string(): "x", pa.timestamp("us"): AT, pa.int64(): 1, pa.decimal128(18, 9): None, pa.bool_(): False}
    return {name: kinds[kind] for name, kind in COLUMNS.items()} | {"id": new_id(), "turn_id": new_id()} | given


def _table(rows):
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in COLUMNS.items()})


def _one_by_one(cur, rows):
    for row in rows:
        record_row(cur, row)


def _at_once(cur, rows):
    take_table(cur, _table(rows))


def _in_order(rows):
    return sorted(rows, key=repr)


@pytest.mark.slow
@pytest.mark.parametrize("write", [_one_by_one, record_rows, _at_once])
@given(rows=st.lists(_rows(), min_size=1, max_size=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@example(rows=[_row(first_token_at=AT - timedelta(days=1), id="a", turn_id="a", parent_id="a")])
@example(rows=[_row(first_token_at=_LAST, started_at=_FIRST)])
def test_what_was_written_comes_back(database, write, rows):
    database.transaction(take_out_rows)
    database.transaction(lambda cur: write(cur, rows))

    assert _in_order(database.fetch_all("select * from attempts")) == _in_order(rows)


@pytest.mark.parametrize("write", [_one_by_one, record_rows, _at_once])
def test_every_pattern_of_costs_comes_back(database, write):
    amounts = [None, Decimal(0), Decimal("0.000000001"), Decimal(2)]
    rows = [
        _row(cost_usd=cost, computed_cost_usd=computed, reported_cost_usd=reported)
        for cost in amounts
        for computed in amounts
        for reported in amounts
    ]
    database.transaction(lambda cur: write(cur, rows))

    assert _in_order(database.fetch_all("select * from attempts")) == _in_order(rows)


def test_the_columns_are_the_same_on_both_stores(database):
    rows = database.fetch_all("-- duckdb\nselect column_name, column_type from (describe select * from attempts)")

    kinds = {
        pa.string(): "VARCHAR",
        pa.timestamp("us"): "TIMESTAMP",
        pa.int64(): "BIGINT",
        pa.decimal128(18, 9): "DECIMAL(18,9)",
        pa.bool_(): "BOOLEAN",
    }
    assert {row["column_name"]: row["column_type"] for row in rows} == {n: kinds[kind] for n, kind in COLUMNS.items()}
    assert [row["column_name"] for row in rows] == list(COLUMNS)


@pytest.mark.parametrize("write", [_one_by_one, record_rows, _at_once])
def test_a_row_without_a_turn_is_refused(database, write):
    with pytest.raises(duckdb.Error, match=r"(?i)constraint"):
        database.transaction(lambda cur: write(cur, [_row(turn_id=None)]))
    assert database.fetch_all("select * from attempts") == []


def test_columns_that_are_left_out_have_what_the_table_says(database):
    named = ", ".join(f"'{name}' as {name}" for name in ("id", "user_id", "source", "requested_model", "provider"))
    tokens = ("input", "cached_input", "cache_write", "image", "output", "reasoning")
    counts = ", ".join(f"1 as {name}_tokens" for name in tokens)
    rest = "'t' as turn_id, null as parent_id, '{}' as parameters, 'free' as cost_code, 'ok' as status, false as cached"
    times = "$at::timestamp as started_at, null as first_token_at, $at::timestamp as ended_at"
    costs = "null as cost_usd, null as computed_cost_usd, 0.5 as reported_cost_usd"
    rows = f"(select {named}, {counts}, {rest}, {times}, {costs})"
    database.transaction(lambda cur: take_rows(cur, rows, at=AT))

    [row] = database.fetch_all("select * from attempts")
    assert (row["cache_write_1h_tokens"], row["counted_by_us"], row["service_tier"]) == (0, False, None)
    assert (row["reported_cost_usd"], row["cost_usd"], row["first_token_at"]) == (Decimal("0.5"), None, None)


def test_rows_come_in_the_order_in_which_they_are_given(tmp_path):
    database = Database(f"duckdb:{tmp_path / 'store.duckdb'}")
    migrate(database)
    rows = [_row(input_tokens=number * 7919 % 5003) for number in range(5000)]
    with database.cursor() as cur, cur.reading("given_rows", _table(rows)):
        take_rows(cur, "(select * from given_rows order by input_tokens)")

    numbered = database.fetch_all("select * from numbered_attempts order by number")
    assert [row.pop("number") for row in numbered] == list(range(5000))
    assert numbered == sorted(rows, key=lambda row: row["input_tokens"])
    assert sorted(database.fetch_all("select * from attempts"), key=lambda row: row["input_tokens"]) == numbered
    database.close()


def test_only_the_rows_that_meet_the_condition_go(database):
    rows = [_row(id=name) for name in "abc"]
    database.transaction(lambda cur: _at_once(cur, rows))

    database.transaction(lambda cur: take_out_rows(cur, "list_contains($ids, id) and turn_id <> 'a'", ids=["a", "b"]))

    assert database.fetch_all("select id from attempts") == [{"id": "c"}]


def test_the_rows_of_an_older_file_are_moved_as_they_are(tmp_path):
    database = Database(f"duckdb:{tmp_path / 'older.duckdb'}")
    steps = shipped_migrations()
    migrate(database, migrations=[step for step in steps if step.number < 32])
    rows = [
        _row(),
        _row(id="0001", turn_id=new_id().upper(), parent_id="0000", cost_usd=Decimal(1), reported_cost_usd=Decimal(1)),
        _row(parent_id=new_id(), first_token_at=AT + timedelta(microseconds=1), computed_cost_usd=Decimal(1)),
        {**_row(first_token_at=None), "turn_id": (same := new_id()), "id": same},
    ]
    older = [*_table(rows).to_pylist()]
    database.transaction(lambda cur: cur.append_arrow("attempts", _table(rows)))
    database.execute(
        "insert into attempts select * replace ('infinity'::timestamp as first_token_at, 'end' as id) "
        "from attempts limit 1"
    )

    assert migrate(database) == [step for step in steps if step.number >= 32]

    moved = database.fetch_all("select * from numbered_attempts order by number")
    assert [{**row, "number": None} for row in moved[:-1]] == [{**row, "number": None} for row in older]
    [last] = database.fetch_all("select id, first_token_at::text as first from attempts where id = 'end'")
    assert last == {"id": "end", "first": "infinity"}
    database.close()
