"""The text of a file, whichever encoding it was saved in."""

from __future__ import annotations

import codecs
import re

from core.chat.attachment_images import Unreadable
from core.chat.plain_text import clean_text

# The longer mark first: that of UTF-32 begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# A log with colours in it has some; what has more is no text.
_MOST_CONTROLS = 0.01


def decode_text(data: bytes) -> str:
    """The text of `data`, with plain line ends and visible control characters.

    UTF-8, UTF-16 and UTF-32 with a mark, UTF-8 without one, else Windows-1252, which takes almost anything. Raises
    Unreadable for what is no text.
    """
    text = _decoded(data)
    if text is None or "\0" in text or len(_CONTROL.findall(text)) > _MOST_CONTROLS * len(text):
        raise Unreadable("is not text, whatever its name says", "Check that it is the file you meant.")
    cleaned = clean_text(text)
    if not cleaned.strip():
        raise Unreadable("holds nothing but blank space", "Choose another file.")
    return cleaned


def _decoded(data: bytes) -> str | None:
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return None
