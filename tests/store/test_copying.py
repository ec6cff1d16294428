"""A store is copied into one of the other kind and back, complete to the last row, also after it was broken off."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.costs.pricing import Cost
from core.errors import StoreDamaged, StoreError
from core.store.copying import copy_store
from core.store.database import Database
from core.store.maintenance import back_up, row_counts
from core.store.migrate import migrate
from core.store.views import make_notes
from tests.support.attempts import add_attempt

AT = datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001 - naive UTC is the store's own form
PREFERENCE = "insert into preferences values ('ada', $name, $value, $at)"


@pytest.fixture(name="file")
def _file(tmp_path):
    database = Database(f"duckdb:{tmp_path / 'store.duckdb'}")
    migrate(database)
    yield database
    database.close()


@pytest.fixture(name="back")
def _back(tmp_path):
    database = Database(f"duckdb:{tmp_path / 'back.duckdb'}")
    yield database
    database.close()


@pytest.fixture(name="filled")
def _filled(file):
    prices = [None, Decimal("0.000000001"), Decimal("123456789.123456789")]
    for number in range(7):
        cost = Cost(cost_usd=prices[number % 3], code="computed", computed_cost_usd=None, reported_cost_usd=None)
        add_attempt(file, ended_at=AT + timedelta(seconds=number), cost=cost, parameters={"temperature": 0.1})
    for name in ("theme", "ünïcode", "it's"):
        file.execute(PREFERENCE, name=name, value="1\n\t\\N 'x' \0 💡", at=AT)
    file.execute("update account_locks set version = 7 where name = 'people'")
    return file


def test_there_and_back_everything_is_the_same(filled, blank, back):
    there = copy_store(filled, blank, piece=2)
    # As every Switchboard on a PostgreSQL does from its first report on.
    make_notes(blank)
    copy_store(blank, back, piece=2)

    assert there["attempts"] == 7
    attempts = "select * from attempts order by id"
    assert back.fetch_all(attempts) == blank.fetch_all(attempts) == filled.fetch_all(attempts)
    assert blank.fetch_one("select value from preferences where name = 'it''s'") == {"value": "1\n\t\\N 'x' � 💡"}
    assert row_counts(back) == row_counts(blank) == row_counts(filled)


def test_a_copy_that_was_broken_off_goes_on_where_it_stood(filled, blank):
    def break_off(table, done, total, verb):
        if table == "attempts" and done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store(filled, blank, piece=2, progress=break_off)
    with pytest.raises(StoreDamaged, match=r"^The store postgresql://.* is an unfinished copy"):
        migrate(blank)
    told = []
    copy_store(filled, blank, piece=2, progress=lambda *said: told.append(said))

    assert [said[1] for said in told if said[0] == "attempts" and said[3] == "copied"] == [6, 7]
    assert row_counts(blank) == row_counts(filled)
    assert migrate(blank) == []


def test_calls_that_began_at_one_moment_go_together_however_many(file, blank):
    for number in (0, 1, 1, 1, 1, 2, 2):
        add_attempt(file, ended_at=AT + timedelta(seconds=number))

    def break_off(table, done, total, verb):
        if table == "attempts" and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store(file, blank, piece=2, progress=break_off)
    copy_store(file, blank, piece=2)

    attempts = "select * from attempts order by id"
    assert blank.fetch_all(attempts) == file.fetch_all(attempts)
    assert len(blank.fetch_all(attempts)) == 7


def test_a_store_with_rows_of_its_own_is_left_alone(filled, database):
    database.execute(PREFERENCE, name="mine", value="1", at=AT)

    with pytest.raises(StoreError, match="not empty: it holds rows in preferences"):
        copy_store(filled, database)
    assert database.fetch_all("select name from preferences") == [{"name": "mine"}]
    assert migrate(database) == []


def test_what_is_changed_meanwhile_is_noticed(filled, blank):
    def meddle(table, done, total, verb):
        if (table, verb) == ("attempts", "copied"):
            blank.execute("update attempts set provider = 'other' where id = (select min(id) from attempts)")

    with pytest.raises(StoreError, match="differs from the original in the table attempts"):
        copy_store(filled, blank, progress=meddle)


def test_a_backup_of_a_postgresql_is_a_store_in_a_file(filled, blank, tmp_path):
    copy_store(filled, blank)
    make_notes(blank)

    done = back_up(blank, tmp_path / "backup.duckdb")

    assert done.rows == row_counts(filled)
