"""Reads a PDF from standard input and writes its text as JSON to standard output.

A program of its own (core.chat.attachment_pdf starts it): a file made to harm can make a reader eat memory and time
without end, and this process has little of both.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import suppress
from typing import Any

MEMORY_BYTES = 1_500_000_000
CPU_S = 40
MOST_PAGES = 1000


def main() -> None:
    """Read, write, end."""
    _limit()
    logging.disable(logging.CRITICAL)
    most_characters = int(sys.argv[1])
    try:
        answer = _read(sys.stdin.buffer.read(), most_characters)
    except MemoryError:
        answer = {"problem": "too_hard"}
    except Exception:
        # The library raises whatever a damaged file makes it stumble over.
        answer = {"problem": "damaged"}
    sys.stdout.write(json.dumps(answer))


def _limit() -> None:
    with suppress(ImportError, OSError, ValueError):  # some systems have no such limits
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))


def _read(data: bytes, most_characters: int) -> dict[str, Any]:
    from pypdf import PdfReader  # noqa: PLC0415 - after the limits are set

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        return {"problem": "protected"}
    if len(reader.pages) > MOST_PAGES:
        return {"problem": "too_many_pages"}
    texts: list[str] = []
    for page in reader.pages:
        texts.append(page.extract_text().strip())
        if sum(map(len, texts)) > most_characters:
            return {"problem": "too_long"}
    return {"pages": texts}


if __name__ == "__main__":
    main()
