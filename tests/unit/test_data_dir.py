from __future__ import annotations

import stat

import pytest

from core.data_dir import prepare_data_dir
from core.errors import SettingsError


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path):
    prepare_data_dir(tmp_path / "new" / "data")

    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


def test_a_file_in_its_place_is_named_and_left_alone(tmp_path):
    (tmp_path / "data").write_text("mine")

    with pytest.raises(SettingsError, match="is a file, not a folder"):
        prepare_data_dir(tmp_path / "data")
    assert (tmp_path / "data").read_text() == "mine"


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match="SWITCHBOARD_DATA_DIR"):
        prepare_data_dir(tmp_path / "file" / "data")
