"""Files kept by what they hold: one folder, each file under its SHA-256, readable by this user alone.

The same bytes are kept once, whoever added them. Who may see a file is decided by the rows that name it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from core.errors import StoreError

_IDENTITY = "folder_id"
_HASH = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """The files of one folder. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made with the first file."""
        self._folder = folder

    def identity(self) -> str:
        """What tells this folder from others, wherever it is mounted: made on first use. Raises OSError."""
        path = self._folder / _IDENTITY
        if not path.exists():
            draft = self._folder / f".{_IDENTITY}.{secrets.token_hex(8)}"
            _write(draft, secrets.token_hex(8).encode())
            # Of two processes only one gives it its name: the other reads the winner's.
            with suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text(encoding="ascii")

    def put(self, data: bytes) -> str:
        """Keep `data` and return its hash. Raises StoreError when it cannot be written."""
        content_hash = hashlib.sha256(data).hexdigest()
        path = self._path(content_hash)
        try:
            if path.exists():
                os.utime(path)  # as good as new for `left_since`
            else:
                _write(path, data)
        except OSError as error:
            raise StoreError(
                "The file could not be stored.",
                next_step="Try again; if it fails again, ask an administrator to check the disk.",
                detail=type(error).__name__,
            ) from error
        return content_hash

    def read(self, content_hash: str) -> bytes:
        """The bytes under a hash. Raises FileNotFoundError when there are none."""
        return self._path(content_hash).read_bytes()

    def holds(self, content_hash: str) -> bool:
        """Whether there are bytes under a hash."""
        return _HASH.fullmatch(content_hash) is not None and self._path(content_hash).is_file()

    def remove(self, content_hash: str) -> None:
        """Delete what is under a hash, if anything is."""
        with suppress(OSError):
            self._path(content_hash).unlink()

    def left_since(self, age_s: float) -> Iterator[str]:
        """The hashes of files that nobody has put here for `age_s` seconds."""
        newest = time.time() - age_s
        for path in self._folder.glob("??/*"):
            with suppress(OSError):
                if path.stat().st_mtime <= newest and _HASH.fullmatch(path.name):
                    yield path.name

    def _path(self, content_hash: str) -> Path:
        # A hash may come from an imported file: nothing but a hash may become a path.
        if _HASH.fullmatch(content_hash) is None:
            raise FileNotFoundError(content_hash)
        return self._folder / content_hash[:2] / content_hash


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Whole or not at all, and made with mode 600.
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix="unfinished-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
