"""Text that every store, provider and browser can hold, with nothing lost from sight."""

from __future__ import annotations

import re

from core.errors import SwitchboardError

_TITLE_LIMIT = 200

# All of C0 but tab, line feed and carriage return, and DEL: each has a picture of its own in Unicode.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_PICTURES = 0x2400
_PICTURE_OF_DELETE = "\u2421"


def with_visible_controls(text: str) -> str:
    """`text` with control characters as their Unicode pictures (NUL is U+2400) and lone surrogates as U+FFFD.

    PostgreSQL refuses NUL, DuckDB and protobuf refuse surrogates, and an escape sequence has no business in a
    conversation. Works piece by piece: what it does to a character depends on no other.
    """
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(_picture, text))


def clean_text(text: str) -> str:
    r"""What a person typed, ready to be stored: as `with_visible_controls`, and every line end is `\n`."""
    return with_visible_controls(text.replace("\r\n", "\n").replace("\r", "\n"))


def _picture(match: re.Match[str]) -> str:
    return _PICTURE_OF_DELETE if match[0] == "\x7f" else chr(_PICTURES + ord(match[0]))


def own_title(typed: str) -> str:
    """A title as a person typed it: one line, cut at 200 characters. Raises SwitchboardError for an empty one."""
    cleaned = " ".join(clean_text(typed).split())[:_TITLE_LIMIT].rstrip()
    if not cleaned:
        raise SwitchboardError("A title cannot be empty.", next_step="Type at least one character.")
    return cleaned
