"""The view `ledger`: every attempt once, with what it costs today, and the attempts themselves as they were written."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.costs.pricing import Cost
from core.ids import new_id
from core.store.database import Database
from core.store.maintenance import back_up
from core.store.migrate import migrate
from tests.support.attempts import add_attempt, ledger_table

NOON = datetime(2026, 11, 2, 12)  # noqa: DTZ001 - naive UTC is the store's own form
UNPRICED = Cost(cost_usd=None, code="unpriced", computed_cost_usd=None, reported_cost_usd=None)


def test_without_corrections_it_is_the_attempts(database):
    _add(database, "a", cost="0.000000004")
    _add(database, "b", cost=None)

    rows = database.fetch_all("select * from ledger order by id")

    attempts = database.fetch_all("select * from attempts order by id")
    assert [{**row, "original_cost_usd": row["cost_usd"], "adjusted_usd": Decimal(0)} for row in attempts] == rows


def test_a_corrected_attempt_costs_what_its_corrections_make_of_it(database):
    _add(database, "a", cost="0.5")
    _adjust(database, "a", "-0.2", code="computed", version="book 1")
    _adjust(database, "a", "0.000000001", version="book 2")

    assert _row(database, "a") == {
        "cost_usd": Decimal("0.300000001"),
        "cost_code": "computed",
        "original_cost_usd": Decimal("0.5"),
        "adjusted_usd": Decimal("-0.199999999"),
        "price_version": "book 2",
    }


def test_an_unpriced_attempt_gets_its_price_from_a_correction(database):
    _add(database, "a", cost=None)
    _adjust(database, "a", "0.07", code="computed", version="book 1")

    row = _row(database, "a")

    assert (row["cost_usd"], row["cost_code"]) == (Decimal("0.07"), "computed")
    assert row["original_cost_usd"] is None


def test_an_unpriced_attempt_beside_a_corrected_one_stays_unpriced(database):
    _add(database, "a", cost=None)
    _add(database, "b", cost=None)
    _adjust(database, "a", "0.07", code="computed")

    assert _row(database, "b") == {
        "cost_usd": None,
        "cost_code": "unpriced",
        "original_cost_usd": None,
        "adjusted_usd": Decimal(0),
        "price_version": "registry",
    }


def test_attempts_that_began_at_the_same_moment_count_once_each(database):
    for name in ("a", "b", "c"):
        _add(database, name, cost="1")
    _adjust(database, "b", "1")

    rows = database.fetch_all("select id, cost_usd from ledger order by id")

    assert [(row["id"], row["cost_usd"]) for row in rows] == [("a", 1), ("b", 2), ("c", 1)]


def test_the_attempts_are_left_as_they_were_written(database):
    _add(database, "a", cost="0.5")
    before = database.fetch_all("select * from attempts")
    _adjust(database, "a", "-0.2", code="computed")

    assert database.fetch_all("select * from attempts") == before


def test_it_follows_a_column_that_a_later_version_adds(database):
    _add(database, "a", cost="1")
    database.execute(f"alter table {ledger_table(database)} add column flavour text default 'plain'")

    migrate(database)

    assert database.fetch_one("select flavour from ledger") == {"flavour": "plain"}


def test_a_backup_of_the_store_brings_it_along(database, tmp_path):
    _add(database, "a", cost="1")
    _adjust(database, "a", "1")
    copy = Database(f"duckdb:{back_up(database, tmp_path / 'copy.duckdb').path}")

    migrate(copy)

    assert copy.fetch_one("select cost_usd from ledger") == {"cost_usd": Decimal(2)}
    copy.close()


@pytest.mark.parametrize("corrections", [0, 3])
def test_only_the_corrected_rows_are_looked_up_by_their_id(database, corrections):
    for number in range(50):
        _add(database, f"{number:02}", cost="1", started_at=NOON + timedelta(seconds=number))
    for number in range(corrections):
        _adjust(database, f"{number:02}", "1", started_at=NOON + timedelta(seconds=number))

    assert database.fetch_one("select sum(cost_usd) as spent, count(*) as calls from ledger") == {
        "spent": Decimal(50 + corrections),
        "calls": 50,
    }


def _add(database, name, *, cost, started_at=NOON):
    priced = (
        UNPRICED
        if cost is None
        else Cost(cost_usd=Decimal(cost), code="estimated", computed_cost_usd=Decimal(cost), reported_cost_usd=None)
    )
    ended_at = started_at + timedelta(seconds=2.5)
    add_attempt(database, id=name, ended_at=ended_at, cost=priced, price_version="registry")


def _adjust(database, name, delta, *, code=None, version=None, started_at=NOON):
    database.execute(
        "insert into adjustments (id, attempt_id, attempt_started_at, created_at, delta_usd, new_code, price_version, "
        "reason, actor) values ($id, $attempt, $started_at, $now, $delta, $code, $version, 'a test', null)",
        id=new_id(),
        attempt=name,
        started_at=started_at,
        now=NOON,
        delta=Decimal(delta),
        code=code,
        version=version,
    )


def _row(database, name):
    return database.fetch_one(
        "select cost_usd, cost_code, original_cost_usd, adjusted_usd, price_version from ledger where id = $id", id=name
    )
