"""What somebody uploads to import: JSON files, or archives of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from core.errors import ImportRefused

# Of unpacked text, over all files of one import: far above any export seen, and the end of a file made to harm.
LIMIT_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file to import: its name, and its bytes."""

    name: str
    data: bytes


class Counted:
    """A file that refuses to give more than a limit of bytes, whatever an archive claims about its size."""

    def __init__(self, source: BinaryIO, *, limit: int) -> None:
        self._source = source
        self._limit = limit
        self.taken = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes. Raises ImportRefused beyond the limit, or where an archive is damaged."""
        try:
            data = self._source.read(size)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            raise _damaged_archive() from error
        self.taken += len(data)
        if self.taken > self._limit:
            raise ImportRefused(
                "This file is larger than 1 GB when unpacked. What comes before that is imported.",
                next_step="Split it and import the rest.",
            )
        return data


def json_files(upload: Upload) -> Iterator[tuple[str, BinaryIO, Callable[[], int]]]:
    """The JSON files of an upload: name, content, and how many of the upload's bytes have been read so far.

    Raises ImportRefused for an archive that cannot be opened or holds none.
    """
    whole = io.BytesIO(upload.data)
    if not upload.data.startswith(b"PK"):
        yield upload.name, whole, whole.tell
        return
    try:
        archive = zipfile.ZipFile(whole)
        names = _wanted(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged_archive() from error
    if not names:
        raise ImportRefused(
            "This archive holds no conversations.json and no other JSON file.",
            next_step="Choose the archive that the other program sent you.",
        )
    for name in names:
        try:
            source = cast("BinaryIO", archive.open(name))
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            raise _damaged_archive() from error
        with source:
            yield f"{upload.name}/{name}", source, whole.tell


def _wanted(names: Sequence[str]) -> list[str]:
    """ChatGPT's archives also hold ratings, accounts and the like: then only the conversations are read."""
    files = [name for name in names if name.lower().endswith(".json") and "__MACOSX" not in name]
    conversations = [name for name in files if PurePosixPath(name).name.lower().startswith("conversations")]
    return sorted(conversations or files)


def _damaged_archive() -> ImportRefused:
    return ImportRefused(
        "This archive is damaged or protected by a password. What could be read before is imported.",
        next_step="Unpack it yourself and choose the .json file.",
    )
