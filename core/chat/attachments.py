"""Files that people add to their messages: checked, made fit for models, and kept by what they hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath

from core.chat.attachment_images import Unreadable, prepare_image
from core.chat.attachment_pdf import read_pdf
from core.chat.attachment_text import decode_text
from core.chat.conversation import Attachment, AttachmentKind
from core.costs.token_count import estimate_tokens
from core.errors import TurnRefused
from core.store.files import FileStore

MOST_FILES = 10
MOST_MEGABYTES = 20
# What a message may have as well (core.chat.admission): more than any model's window holds.
_MOST_CHARACTERS = 4_000_000
_LONGEST_NAME = 100

_IMAGES = ("png", "jpg", "jpeg", "webp", "gif")
_TABLES = ("csv", "tsv")
_TEXTS = (
    *("txt", "md", "rst", "log", "json", "jsonl", "yaml", "yml", "toml", "ini", "cfg", "conf", "xml", "html", "css"),
    *("scss", "js", "mjs", "jsx", "ts", "tsx", "vue", "svelte", "py", "pyi", "ipynb", "java", "kt", "scala", "c", "h"),
    *("cpp", "hpp", "cc", "cs", "go", "rs", "rb", "php", "swift", "sh", "bash", "ps1", "bat", "sql", "r", "lua", "pl"),
    *(
        "dart",
        "ex",
        "exs",
        "erl",
        "hs",
        "clj",
        "tex",
        "bib",
        "srt",
        "diff",
        "patch",
        "proto",
        "graphql",
        "tf",
        "gradle",
    ),
)
KINDS: Mapping[str, AttachmentKind] = {
    **dict.fromkeys(_IMAGES, "image"),
    "pdf": "pdf",
    **dict.fromkeys(_TABLES, "csv"),
    **dict.fromkeys(_TEXTS, "text"),
}


def keep_file(files: FileStore, *, name: str, data: bytes) -> Attachment:
    """Check a file, keep it, and return what a message needs to know of it.

    An image is kept without its metadata and no larger than models take it. Raises TurnRefused "attachment" for a file
    that is empty, too large, damaged, protected, or not what its name says; StoreError when it cannot be written.
    """
    name = clean_name(name)
    kind = KINDS.get(_ending(name))
    if kind is None:
        raise _refused(name, "is of a kind that cannot be attached", "Attach images, PDF, CSV, text or source files.")
    if not data:
        raise _refused(name, "is empty", "Choose another file.")
    if len(data) > MOST_MEGABYTES * 1024 * 1024:
        raise _refused(name, f"is larger than {MOST_MEGABYTES} MB", "Attach a smaller file or a part of it.")
    try:
        return _KEEPERS[kind](files, name, data)
    except Unreadable as error:
        raise _refused(name, error.what, error.next_step) from error


def clean_name(name: str) -> str:
    """A file's name as it can be shown and sent: no folders, no invisible characters, at most 100 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    # Category C holds controls, and the marks that turn the direction of writing and so hide an ending.
    shown = "".join(character for character in last if not unicodedata.category(character).startswith("C"))
    shown = " ".join(shown.split())
    if len(shown) <= _LONGEST_NAME:
        return shown or "file"
    ending = PurePosixPath(shown).suffix[:10]
    return f"{shown[: _LONGEST_NAME - len(ending) - 1]}…{ending}"


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.removeprefix(".").lower()


def _keep_image(files: FileStore, name: str, data: bytes) -> Attachment:
    image = prepare_image(data)
    return Attachment(
        name=name,
        kind="image",
        media_type=image.media_type,
        content_hash=files.put(image.data),
        size_bytes=len(image.data),
        width=image.width,
        height=image.height,
    )


def _keep_pdf(files: FileStore, name: str, data: bytes) -> Attachment:
    read = read_pdf(data, most_characters=_MOST_CHARACTERS)
    return _with_text(files, name, data, read.text, kind="pdf", media_type="application/pdf", pages=read.pages)


def _keep_csv(files: FileStore, name: str, data: bytes) -> Attachment:
    return _with_text(files, name, data, _text(data), kind="csv", media_type="text/csv")


def _keep_text(files: FileStore, name: str, data: bytes) -> Attachment:
    return _with_text(files, name, data, _text(data), kind="text", media_type="text/plain")


_KEEPERS = {"image": _keep_image, "pdf": _keep_pdf, "csv": _keep_csv, "text": _keep_text}


def _text(data: bytes) -> str:
    text = decode_text(data)
    if len(text) > _MOST_CHARACTERS:
        raise Unreadable(f"holds more than {_MOST_CHARACTERS:,} characters", "Attach a part of it.")
    return text


def _with_text(
    files: FileStore,
    name: str,
    data: bytes,
    text: str,
    *,
    kind: AttachmentKind,
    media_type: str,
    pages: int | None = None,
) -> Attachment:
    return Attachment(
        name=name,
        kind=kind,
        media_type=media_type,
        content_hash=files.put(data),
        size_bytes=len(data),
        pages=pages,
        text_hash=files.put(text.encode()),
        text_tokens=estimate_tokens(text),
    )


def _refused(name: str, what: str, next_step: str) -> TurnRefused:
    return TurnRefused("attachment", f"The file {name} {what}.", next_step=next_step)
