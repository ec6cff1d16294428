"""The key that signs sessions is made once and readable by its owner only."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.accounts.session_secret import FILE_NAME, load_session_secret
from core.errors import SettingsError


def test_it_is_made_once_for_the_owner_only(tmp_path):
    first = load_session_secret(tmp_path / "data")

    assert len(bytes.fromhex(first)) == 32
    assert load_session_secret(tmp_path / "data") == first
    assert (tmp_path / "data" / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "data").iterdir()] == [FILE_NAME]


def test_a_key_that_others_can_read_is_closed_to_them(tmp_path):
    secret = load_session_secret(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o644)

    assert load_session_secret(tmp_path) == secret
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "short", "z" * 64, "ä" * 64])
def test_a_damaged_key_is_refused_with_the_way_out(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError, match="cannot be used") as caught:
        load_session_secret(tmp_path)

    assert "everybody signs in again" in caught.value.next_step
    assert FILE_NAME in caught.value.user_message


def test_a_folder_in_its_place_is_refused(tmp_path):
    (tmp_path / FILE_NAME).mkdir()

    with pytest.raises(SettingsError, match=FILE_NAME):
        load_session_secret(tmp_path)


def test_a_data_dir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").write_text("")

    with pytest.raises(SettingsError, match="cannot be used"):
        load_session_secret(tmp_path / "data")


def test_many_at_once_agree_on_one_key(tmp_path):
    found: list[str] = []
    together = threading.Barrier(8, timeout=10)

    def load(folder: Path) -> None:
        together.wait()
        found.append(load_session_secret(folder))

    threads = [threading.Thread(target=load, args=(tmp_path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert len(found) == 8
    assert len(set(found)) == 1
