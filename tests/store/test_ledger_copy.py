"""The copy of the ledger for analytics: after every look it is what the store's own views say, whatever happened."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.ids import new_id
from core.store.attempt_rows import take_rows
from core.store.copied_calls import Day, pieces
from core.store.database import Database
from core.store.ledger_copy import LedgerCopy
from core.store.migrate import migrate
from tests.support.attempts import delete_attempts, ledger_table
from tests.support.random_ledger import fill_ledger

SINCE, UNTIL = datetime(2026, 10, 1), datetime(2026, 11, 1)  # noqa: DTZ001 - naive UTC, as everywhere in the store
_CALLS = "select * exclude (conversation_key) from measured_calls order by id"
_LEDGER = "select * from ledger order by id"
# The same partition of the calls, whatever stands for a conversation.
_TALKS = """
select min(id) as first, count(*) as calls, conversation_id from measured_calls
group by conversation_key, conversation_id order by 1"""


def _call(store: Database, dice: random.Random) -> None:
    fill_ledger(store, seed=dice.randrange(10**6), since=SINCE, until=UNTIL, calls=dice.choice((1, 3)))


def _old_call(store: Database, dice: random.Random) -> None:
    before = SINCE - timedelta(days=dice.randrange(1, 900))
    fill_ledger(store, seed=dice.randrange(10**6), since=before, until=before + timedelta(days=1), calls=2)


def _correction(store: Database, dice: random.Random) -> None:
    store.execute(
        "insert into adjustments (id, attempt_id, attempt_started_at, created_at, delta_usd, new_code, price_version, "
        "reason, computed_cost_usd, cache_saved_usd) "
        "select $id || id, id, started_at, started_at, 0.000000007, $code, $version, 'late', $usd::decimal(18,9), "
        "$saved::decimal(18,9) from attempts order by hash(id || $salt) limit 2",
        id=new_id(),
        code=dice.choice((None, "computed")),
        usd=dice.choice((None, 3)),
        saved=dice.choice((None, 1)),
        version=dice.choice((None, "book 2")),
        salt=str(dice.randrange(1000)),
    )


def _delete_some(store: Database, which: str, **parameters: object) -> None:
    gone = [row["id"] for row in store.fetch_all(f"-- duckdb\nselect id from attempts {which}", **parameters)]
    delete_attempts(store, "list_contains($gone, id)", gone=gone)


def _deletion(store: Database, dice: random.Random) -> None:
    _delete_some(store, "where hash(id) % 5 = $rest", rest=dice.randrange(5))


def _taken_back(store: Database, dice: random.Random) -> None:
    store.execute("-- duckdb\ndelete from adjustments where hash(id) % 3 = $rest", rest=dice.randrange(3))


def _swap(store: Database, dice: random.Random) -> None:
    """As many rows as before, but others."""
    _delete_some(store, "order by hash(id) limit 2")
    fill_ledger(store, seed=dice.randrange(10**6), since=SINCE, until=UNTIL, calls=2)


def _rewritten(store: Database, _dice: random.Random) -> None:
    """The same rows in another order, as after a restored backup or a migration."""
    if store.is_shared:
        return
    store.transaction(
        lambda cur: cur.execute(
            "create table again as select * from attempt_rows order by hash(rowid); "
            "delete from attempt_rows; insert into attempt_rows select * from again; drop table again"
        )
    )


def _checkpoint(store: Database, _dice: random.Random) -> None:
    if store.is_shared:
        return
    with store.cursor() as cur:
        cur.execute("checkpoint")


_STEPS = (_call, _old_call, _correction, _deletion, _taken_back, _swap, _rewritten, _checkpoint)


def _same(copy: LedgerCopy, store: Database) -> None:
    copy.refresh()  # raises where a reading would turn to the store
    for sql in (_LEDGER, _CALLS, _TALKS):
        assert copy.fetch_all(sql) == store.fetch_all(sql)


@pytest.fixture(name="copy")
def _copy(database, tmp_path):
    copy = LedgerCopy(database, tmp_path / "copy.duckdb")
    yield copy
    copy.close()


@pytest.mark.slow
@given(steps=st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(0, 10**6), st.booleans()), max_size=12))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@example(steps=[(_call, 0, True), (_swap, 0, False), (_checkpoint, 0, False)])
def test_after_any_history_the_copy_is_the_ledger(database, copy, steps):
    # One store for all examples: emptying it is one more thing that the copy has to notice.
    database.execute("delete from adjustments")
    delete_attempts(database)
    for step, seed, looked_at in steps:
        step(database, random.Random(seed))
        if looked_at:
            _same(copy, database)
    _same(copy, database)


def test_a_copy_from_before_is_gone_on_with_and_what_differs_is_read_again(database, copy):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=30)
    copy.refresh()
    copy.close()
    _old_call(database, random.Random(2))

    _same(copy, database)


@pytest.mark.parametrize("damage", [b"not a database at all", b""])
def test_a_damaged_copy_is_made_anew(database, copy, tmp_path, damage):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=30)
    copy.refresh()
    copy.close()
    (tmp_path / "copy.duckdb").write_bytes(damage)

    _same(copy, database)


@pytest.mark.slow
def test_a_copy_damaged_in_the_middle_is_made_anew(database, copy, tmp_path):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=300)
    copy.refresh()
    copy.close()
    path = tmp_path / "copy.duckdb"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 4096] = b"\0" * 4096
    path.write_bytes(bytes(whole))

    _same(copy, database)


def test_the_copy_has_the_newest_format_of_a_file(copy, tmp_path):
    copy.refresh()
    copy.close()

    version = "select tags['storage_version'] from duckdb_databases() where database_name = ?"
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as connection:
        made = connection.execute(version, ["copy"]).fetchone()
        connection.execute(f"attach '{tmp_path / 'newest.duckdb'}' as newest (storage_version 'latest')")
        newest = connection.execute(version, ["newest"]).fetchone()
    assert made is not None
    assert made == newest


@pytest.mark.slow
def test_a_copy_of_another_layout_is_made_anew(database, copy, tmp_path):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=30)
    copy.refresh()
    copy.close()
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as connection:
        connection.execute("update layout set layout = 'older'; update measured_calls set cost_usd = 1")

    _same(copy, database)


@pytest.mark.slow
def test_a_column_that_a_later_version_adds_is_copied(database, copy):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=30)
    copy.refresh()
    copy.close()
    database.execute(f"alter table {ledger_table(database)} add column flavour text default 'plain'")
    migrate(database)

    assert copy.fetch_all("select distinct flavour from ledger") == [{"flavour": "plain"}]


def test_while_the_copy_is_made_reports_read_the_store(database):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=5)
    copy = LedgerCopy(database, patience_s=0.01)
    with copy._refreshing:
        assert copy.fetch_all(_LEDGER) == database.fetch_all(_LEDGER)
        assert copy.fetch_all("select count(*) as n from users") == [{"n": 0}]


@pytest.mark.slow
def test_a_commit_that_comes_late_is_not_missed(database, copy):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=2)
    copy.refresh()

    def work(cur):
        take_rows(cur, "(select * replace ($id as id) from attempts limit 1)", id=new_id())
        fill_ledger(database, seed=2, since=SINCE, until=UNTIL, calls=2)
        _same(copy, database)

    database.transaction(work)

    _same(copy, database)


@pytest.mark.slow
def test_a_reading_keeps_its_moment(database, copy):
    fill_ledger(database, seed=1, since=SINCE, until=UNTIL, calls=5)

    def work(cur):
        before = cur.fetch_all(_LEDGER)
        fill_ledger(database, seed=2, since=SINCE, until=UNTIL, calls=5)
        copy.refresh()
        return before, cur.fetch_all(_LEDGER)

    before, after = copy.snapshot(work)

    assert before == after
    assert len(copy.fetch_all(_LEDGER)) == 10


def test_days_that_differ_are_read_in_runs_of_a_size():
    days = {day: Day(60_000, "1", None, 0) for day in range(6)}
    other = Day(60_000, "2", None, 0)

    assert pieces(days, days) == []
    assert pieces({}, days) == [(0, 1), (2, 3), (4, 5)]
    assert pieces({**days, 3: other}, days) == [(3, 3)]
    assert pieces({**days, 9: other}, days) == [(9, 9)]
    assert pieces({**days, 1: other, 3: other}, days) == [(1, 1), (3, 3)]
