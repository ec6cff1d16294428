"""A store is brought up to date in whole steps, or refused untouched."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from core.errors import StoreDamaged, StoreTooNew
from core.store.maintenance import row_counts
from core.store.migrate import Migration, migrate, pending, shipped_migrations, steps_to_apply

ONE = Migration(1, "first", "create table first (id integer);")
TWO = Migration(2, "second", "create table second (id integer); insert into second values (1);")
BROKEN = Migration(2, "broken", "create table second (id integer); insert into second values ('no number');")


def test_a_blank_store_gets_every_step(blank):
    applied = migrate(blank)

    assert applied == list(shipped_migrations())
    assert {"users", "conversations", "messages", "turns", "attempts", "preferences", "audit"} <= set(row_counts(blank))


def test_no_two_shipped_steps_have_one_number():
    numbers = [step.number for step in shipped_migrations()]

    assert numbers == sorted(set(numbers))


def test_a_second_run_does_nothing(blank):
    migrate(blank)

    assert migrate(blank) == []
    assert pending(blank, migrations=shipped_migrations()) == []


def test_only_what_is_missing_is_applied(blank):
    migrate(blank, migrations=[ONE])

    assert migrate(blank, migrations=[ONE, TWO]) == [TWO]
    assert row_counts(blank) == {"first": 0, "migrations": 2, "second": 1}


def test_each_step_is_recorded_with_its_moment(blank):
    moment = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - naive UTC is the store's own form
    migrate(blank, migrations=[ONE], clock=lambda: moment)

    assert blank.fetch_all("select * from migrations") == [
        {"number": 1, "name": "first", "checksum": ONE.checksum, "applied_at": moment}
    ]


def test_a_step_for_stores_of_one_kind_is_recorded_by_the_others_too(blank):
    in_file = Migration(1, "in_file", "-- duckdb\n-- Why.\ncreate table in_file (id integer);")
    on_server = Migration(2, "on_server", "-- server\ncreate table on_server (id integer);")

    assert migrate(blank, migrations=[in_file, on_server]) == [in_file, on_server]
    assert row_counts(blank) == {"migrations": 2, "on_server" if blank.is_shared else "in_file": 0}
    assert migrate(blank, migrations=[in_file, on_server]) == []


def test_a_failing_step_rolls_back_whole_and_keeps_the_ones_before(blank):
    with pytest.raises(duckdb.Error, match="no number"):
        migrate(blank, migrations=[ONE, BROKEN])

    assert row_counts(blank) == {"first": 0, "migrations": 1}
    assert migrate(blank, migrations=[ONE, TWO]) == [TWO]


def test_an_edited_step_is_refused(blank):
    migrate(blank, migrations=[ONE])
    edited = Migration(1, "first", "create table first (id bigint);")

    with pytest.raises(StoreDamaged, match="Step 0001 first of the store differs"):
        migrate(blank, migrations=[edited, TWO])
    assert "second" not in row_counts(blank)


def test_a_store_of_a_newer_version_is_refused(blank):
    migrate(blank, migrations=[ONE, TWO])

    with pytest.raises(StoreTooNew, match=r"newer Switchboard.*0002 second"):
        migrate(blank, migrations=[ONE])


def test_a_database_of_another_program_is_refused_and_left_alone(blank):
    blank.transaction(lambda cur: cur.shape("create table invoices (id integer)"))

    for look in (migrate, steps_to_apply):
        with pytest.raises(StoreDamaged, match="holds another program's tables"):
            look(blank)
    assert row_counts(blank) == {"invoices": 0}


def test_looking_at_what_is_missing_changes_nothing(blank):
    assert steps_to_apply(blank) == list(shipped_migrations())
    assert row_counts(blank) == {}

    migrate(blank)
    assert steps_to_apply(blank) == []
