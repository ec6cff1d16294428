"""Files are kept once, whole or not at all, and only a hash leads to one."""

from __future__ import annotations

import os

import pytest

from core.errors import StoreError
from core.store.files import FileStore

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.fixture(name="files")
def _files(tmp_path):
    return FileStore(tmp_path / "kept")


def test_what_is_put_is_read_until_it_is_removed(files):
    assert not files.holds(HELLO)

    assert files.put(b"hello") == HELLO

    assert files.holds(HELLO)
    assert files.read(HELLO) == b"hello"
    files.remove(HELLO)
    files.remove(HELLO)
    assert not files.holds(HELLO)
    with pytest.raises(FileNotFoundError):
        files.read(HELLO)


@pytest.mark.parametrize("path", ["", "..", "../" * 20 + "etc/passwd", HELLO.upper(), f"{HELLO}\n", f"{HELLO}/.."])
def test_only_a_hash_leads_to_a_file(files, path):
    assert not files.holds(path)
    with pytest.raises(FileNotFoundError):
        files.read(path)


def test_what_was_put_lately_is_not_left_behind(files, tmp_path):
    files.put(b"hello")
    path = tmp_path / "kept" / HELLO[:2] / HELLO
    os.utime(path, (0, 0))
    assert list(files.left_since(3600)) == [HELLO]

    files.put(b"hello")

    assert list(files.left_since(3600)) == []


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    (tmp_path / "kept").write_text("in the way")

    with pytest.raises(StoreError, match="could not be stored"):
        FileStore(tmp_path / "kept").put(b"hello")


def test_a_folder_is_the_same_wherever_it_is_mounted_and_no_other_one(files, tmp_path):
    (tmp_path / "mounted").symlink_to(tmp_path / "kept")

    assert files.identity() == files.identity() == FileStore(tmp_path / "mounted").identity()
    assert FileStore(tmp_path / "another").identity() != files.identity()
    assert list(files.left_since(-1)) == []
