"""The text of a PDF, read by a child process: slow and hostile files cost the app nothing but a wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from core.chat.attachment_images import Unreadable
from core.chat.pdf_reader import MOST_PAGES
from core.chat.plain_text import clean_text

_READER = Path(__file__).with_name("pdf_reader.py")
_WITHIN_S = 60.0
# What a program needs to run and nothing else: a file must not get at the keys of providers.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_PROBLEMS = {
    "damaged": ("is damaged, or no PDF", "Open it in a reader and save it anew."),
    "protected": ("is protected by a password", "Save a copy without the password and attach that."),
    "too_many_pages": (f"has more than {MOST_PAGES:,} pages", "Attach the pages that matter."),
    "too_long": ("holds more text than any model reads", "Attach the pages that matter."),
    "too_hard": ("takes too long to read", "Attach the pages that matter."),
    "no_text": ("holds no text, only pictures of pages", "Attach the pages that matter as images."),
}


@dataclass(frozen=True, slots=True)
class PdfText:
    """How many pages a PDF has, and its text with a line before each page."""

    pages: int
    text: str


def read_pdf(data: bytes, *, most_characters: int, within_s: float = _WITHIN_S) -> PdfText:
    """Read a PDF. Starting the reader takes about half a second; pages take milliseconds to hundredths of a second.

    Raises Unreadable for a damaged or protected file, one without text, and one that is too much.
    """
    if b"%PDF-" not in data[:1024]:
        raise _unreadable("damaged")
    command = (sys.executable, "-I", str(_READER), str(most_characters))
    env = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=within_s, check=True, env=env)  # noqa: S603 - our own program
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise _unreadable("too_hard") from error
    if problem := answer.get("problem"):
        raise _unreadable(problem)
    pages = [clean_text(page) for page in answer["pages"]]
    if not any(pages):
        raise _unreadable("no_text")
    return PdfText(len(pages), "\n\n".join(f"[page {number}]\n{page}" for number, page in enumerate(pages, 1)))


def _unreadable(problem: str) -> Unreadable:
    return Unreadable(*_PROBLEMS[problem])
