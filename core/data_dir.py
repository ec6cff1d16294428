"""The folder of the files made while running."""

from __future__ import annotations

import tempfile
from pathlib import Path

from core.errors import SettingsError


def prepare_data_dir(path: Path) -> None:
    """Create the folder where it is missing and try to write in it.

    Raises SettingsError naming the folder and the variable that sets it.
    """
    try:
        if path.exists() and not path.is_dir():
            raise SettingsError(
                f"The data folder {path} is a file, not a folder.",
                next_step="Move the file away, or set SWITCHBOARD_DATA_DIR to a folder.",
            )
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b"switchboard")
    except OSError as error:
        raise SettingsError(
            f"The data folder {path} cannot be written ({error.strerror or error}).",
            next_step="Give this user the right to write there, or set SWITCHBOARD_DATA_DIR to another folder.",
        ) from error
