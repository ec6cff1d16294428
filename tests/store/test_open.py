"""Every way a store cannot be opened has its own sentence and a next step."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest

from core.errors import StoreDamaged, StoreError, StoreLocked
from core.store.database import Database

HOLD = """
import sys
from core.store.database import Database
database = Database(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_another_process(url):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.communicate(timeout=30)


def refused(url, error_class):
    with pytest.raises(error_class) as caught:
        Database(url)
    assert caught.value.next_step
    return str(caught.value)


def test_a_store_in_use_is_named(store_url, tmp_path):
    with held_by_another_process(store_url):
        message = refused(store_url, StoreLocked)

    assert message.startswith(f"Another process is using the store {tmp_path / 'store.duckdb'}.")
    assert "SWITCHBOARD_DATA_DIR" in message


def test_a_store_is_free_again_when_its_holder_is_gone(store_url):
    with held_by_another_process(store_url):
        pass

    Database(store_url).close()


@pytest.mark.parametrize("content", [b"not a database", b"x" * 20_000, b"SQLite format 3\0" + b"\0" * 5000])
def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "letter.txt"
    path.write_bytes(content)

    message = refused(f"duckdb:{path}", StoreError)

    assert str(path) in message
    assert path.read_bytes() == content


def test_a_damaged_store_is_called_damaged(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_bytes(b"x" * 20_000)

    refused(f"duckdb:{path}", StoreDamaged)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    message = refused(f"duckdb:{tmp_path / 'file' / 'store.duckdb'}", StoreError)

    assert str(tmp_path / "file") in message


@pytest.mark.parametrize("url", ["", "duckdb", "duckdb:", "mysql://host/x", "/a/path.duckdb"])
def test_an_address_of_another_kind_is_refused(url):
    assert "SWITCHBOARD_STORE" in refused(url, StoreError)


def test_a_password_in_an_address_is_not_repeated():
    assert "secret" not in refused("mysql://ada:secret@host/db", StoreError)
