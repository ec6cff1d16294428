"""A cursor per call, transactions that land whole, conflicts that nobody notices."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import StoreError

PREFERENCE = "insert into preferences values ($user, $name, $value, $at)"
AT = datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001 - naive UTC is the store's own form


def set_preference(cur, name="theme", value="1"):
    cur.execute(PREFERENCE, user="ada", name=name, value=value, at=AT)


def test_rows_come_as_dictionaries_with_exact_types(database):
    row = database.fetch_one("select $cost::decimal(18,9) as cost, $at::timestamp as at", cost=Decimal("0.1"), at=AT)

    assert row == {"cost": Decimal("0.100000000"), "at": AT}
    assert isinstance(row["cost"], Decimal)


def test_no_row_is_none(database):
    assert database.fetch_one("select 1 as one where false") is None
    assert database.fetch_all("select 1 as one where false") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_survives(database, text):
    assert database.fetch_one("select $text as text", text=text) == {"text": text}


def test_execute_many_runs_once_per_row(database):
    rows = [{"user": "ada", "name": str(n), "value": "1", "at": AT} for n in range(3)]
    database.transaction(lambda cur: cur.execute_many(PREFERENCE, rows))

    assert database.fetch_one("select count(*) as n from preferences") == {"n": 3}


def test_a_transaction_returns_what_the_work_returns(database):
    assert database.transaction(lambda cur: cur.fetch_one("select 7 as n")) == {"n": 7}


def test_a_failing_transaction_leaves_nothing(database):
    def work(cur):
        set_preference(cur)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        database.transaction(work)
    assert database.fetch_all("select * from preferences") == []


def test_a_statement_that_fails_raises_its_own_error_and_the_next_one_works(database):
    with pytest.raises(duckdb.Error, match="nowhere"):
        database.transaction(lambda cur: cur.execute("insert into nowhere values (1)"))
    database.transaction(set_preference)

    assert len(database.fetch_all("select * from preferences")) == 1


def test_a_broken_rule_is_not_taken_for_a_conflict(database):
    tries = []

    def work(cur):
        tries.append(1)
        set_preference(cur)
        set_preference(cur)

    with pytest.raises(duckdb.Error, match=r"(?i)duplicate key"):
        database.transaction(work)
    assert len(tries) < 3  # PostgreSQL says the same of a conflict, so there it is tried once more


def test_two_threads_that_update_one_row_both_land(database):
    database.transaction(lambda cur: set_preference(cur, value="0"))
    both_have_read = threading.Barrier(2, timeout=10)
    tries = []

    def increment(number):
        seen = []

        def work(cur):
            row = cur.fetch_one("select value from preferences where user_id = 'ada'")
            if not seen:
                both_have_read.wait()
            seen.append(row)
            cur.execute("update preferences set value = $value", value=str(int(row["value"]) + 1))

        database.transaction(work)
        tries.append(len(seen))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(increment, range(2)))

    assert database.fetch_one("select value from preferences") == {"value": "2"}
    assert max(tries) > 1


def test_a_conflict_without_end_is_raised(database):
    database.transaction(set_preference)
    update = "update preferences set value = '2'"

    with database.cursor() as other:
        other.execute("begin transaction")
        other.execute(update)
        with pytest.raises((duckdb.TransactionException, StoreError)):
            database.transaction(lambda cur: cur.execute(update))
        other.execute("rollback")


def test_threads_never_see_each_others_results(database):
    def ask(number):
        return [database.fetch_one("select $n + range as n from range(1)", n=number)["n"] for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    assert answers == [[number] * 50 for number in range(8)]


def test_a_closed_store_says_so(database):
    database.close()
    database.close()

    with pytest.raises(StoreError, match="The store is closed"):
        database.fetch_all("select 1")


def test_rows_are_there_after_closing_and_opening(database, store_url):
    database.transaction(set_preference)
    database.close()

    again = type(database)(store_url)
    assert again.fetch_one("select value from preferences") == {"value": "1"}
    again.close()


def test_the_version_grows_with_writing_and_not_with_reading(database):
    before = database.version
    database.fetch_all("select 1")
    assert database.snapshot(lambda cur: cur.fetch_all("select 2 as two")) == [{"two": 2}]
    assert database.version == before
    database.execute("create table t (x integer)")
    assert database.version > before
