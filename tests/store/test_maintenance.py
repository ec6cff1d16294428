"""Copies of a store are complete, and never in the place of anything."""

from __future__ import annotations

import pytest

from core.errors import StoreError
from core.store.database import Database
from core.store.maintenance import back_up, open_existing, row_counts, store_file
from core.store.migrate import migrate

PREFERENCE = "insert into preferences values ('ada', 'theme', 'ü', timestamp '2026-01-02 03:04:05.678901')"


@pytest.fixture(name="target")
def _target(tmp_path):
    return tmp_path / "it's a folder" / "copy.duckdb"


def test_a_backup_opens_as_a_store_with_the_same_rows(database, target):
    database.execute(PREFERENCE)

    done = back_up(database, target)
    copy = Database(f"duckdb:{target}")

    assert done.rows == row_counts(database) == row_counts(copy)
    assert copy.fetch_all("select * from preferences") == database.fetch_all("select * from preferences")
    assert migrate(copy) == []
    copy.close()


def test_a_backup_keeps_keys_and_indexes(database, target):
    back_up(database, target)
    copy = Database(f"duckdb:{target}")
    rules = "select table_name, constraint_type, constraint_column_names from duckdb_constraints() order by all"
    indexes = "select index_name, table_name from duckdb_indexes() order by all"

    assert copy.fetch_all(rules) == database.fetch_all(rules)
    assert copy.fetch_all(indexes) == database.fetch_all(indexes)
    copy.close()


def test_the_store_works_on_after_a_backup(database, target):
    back_up(database, target)
    database.execute(PREFERENCE)

    assert row_counts(database)["preferences"] == 1


def test_an_existing_file_is_left_alone(database, target):
    target.parent.mkdir()
    target.write_text("precious")

    with pytest.raises(StoreError, match="exists already"):
        back_up(database, target)
    assert target.read_text() == "precious"


def test_a_backup_that_fails_leaves_nothing_behind(database, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="could not be written"):
        back_up(database, tmp_path / "file" / "copy.duckdb")
    assert not list(tmp_path.glob("**/*copy*"))


def test_what_an_earlier_attempt_left_is_replaced(database, target):
    target.parent.mkdir()
    target.with_name("copy.duckdb.unfinished").write_text("half a copy")

    back_up(database, target)

    assert [path.name for path in target.parent.iterdir()] == ["copy.duckdb"]


def test_no_store_is_made_by_accident(tmp_path):
    with pytest.raises(StoreError, match="There is no store"):
        open_existing(f"duckdb:{tmp_path / 'new.duckdb'}")
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_an_address(tmp_path):
    assert store_file(f"duckdb:{tmp_path / 'a.duckdb'}") == tmp_path / "a.duckdb"
    assert store_file("duckdb::memory:") is None
