"""The rows the ledger's bench is made of: the same every time, in order, priced to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench import ledger_rows
from bench.ledger_reports import measure
from bench.ledger_rows import Trace, build

pytestmark = pytest.mark.slow

UNTIL = datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None)
ROWS = 3_000


@pytest.fixture(name="trace")
def _trace(tmp_path):
    """A trace of our own making in the format of Azure's."""
    for name in ("conv", "code"):
        lines = [f"2023-11-16 18:15:46.{n:07},{100 + n * 7},{10 + n * 3}" for n in range(300)]
        text = "\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *lines, ""])
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return Trace(tmp_path / "conv.csv", tmp_path / "code.csv")


@pytest.fixture(name="store")
def _store(tmp_path, trace):
    database = build(tmp_path / "one.duckdb", rows=ROWS, until=UNTIL, trace=trace)
    yield database
    database.close()


def _rows(database):
    return database.fetch_all("select * exclude (number) from numbered_attempts order by number")


def test_there_are_as_many_rows_as_asked_for_in_the_order_of_time(store):
    rows = _rows(store)

    assert len(rows) == ROWS
    assert [row["started_at"] for row in rows] == sorted(row["started_at"] for row in rows)
    assert rows[-1]["started_at"] < UNTIL


def test_they_are_the_same_every_time(store, trace, tmp_path):
    again = build(tmp_path / "two.duckdb", rows=ROWS, until=UNTIL, trace=trace)

    assert _rows(again) == _rows(store)
    again.close()


def test_each_is_priced_to_the_last_digit(store):
    prices = {model["id"]: model for model in ledger_rows.models()}
    million = 1_000_000
    for row in _rows(store):
        model = prices[row["served_model"]]
        if model["input"] is None:
            assert row["computed_cost_usd"] is None
            continue
        fresh = row["input_tokens"] - row["cached_input_tokens"]
        assert row["computed_cost_usd"] * million == (
            fresh * model["input"]
            + row["cached_input_tokens"] * model["cached_input"]
            + row["output_tokens"] * model["output"]
        )


def test_a_fallback_follows_its_failure_within_the_turn(store):
    rows = {row["id"]: row for row in _rows(store)}
    followed = [row for row in rows.values() if row["parent_id"]]

    assert followed
    for row in followed:
        first = rows[row["parent_id"]]
        assert first["status"] not in {"ok", "stopped"}
        assert first["parent_id"] is None
        assert row["fallback_of"] == row["requested_model"] == first["served_model"] != row["served_model"]
        for same in ("turn_id", "user_id", "conversation_id", "source"):
            assert row[same] == first[same]


def test_a_trace_that_is_not_there_is_named(tmp_path, trace):
    assert trace.missing == []
    assert Trace(trace.conversations, tmp_path / "none.csv").missing == [tmp_path / "none.csv"]


def test_every_report_of_the_bench_is_one_that_the_pages_have(store):
    found = {report.name: report for report in measure(store, store, now=UNTIL, repetitions=1)}

    assert len(found) > 50
    assert all(report.slowest.clock_ms > 0 for report in found.values())
