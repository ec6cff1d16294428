"""Which table a statement writes to, by its text."""

from __future__ import annotations

import re
from functools import cache

# In place of a table's name: whatever it is, it may have been written to.
ANY_TABLE = "*"

# A semicolon in these ends no statement; what stands in quotes is not looked at for comments.
_TEXTS = re.compile(r"'(?:[^']|'')*'|--[^\n]*")
_COMMENTS = re.compile(r"(?:\s+|--[^\n]*\n)*")
_WRITES = re.compile(r"(?:insert(?: or \w+)? into|update|delete from)\s+\"?+(\w++)\"?+(?!\.)", re.IGNORECASE)
_READS = re.compile(r"(?:select|from|begin|commit|rollback)\b", re.IGNORECASE)
_READS_AFTER = re.compile(r"with\b(?!.*\b(?:insert|update|delete|merge)\b)", re.IGNORECASE | re.DOTALL)


@cache
def written_table(sql: str) -> str | None:
    """The table that a statement writes to; None for one that reads, ANY_TABLE where its text does not say it."""
    if ";" in _TEXTS.sub("", sql).rstrip().removesuffix(";"):
        return ANY_TABLE
    begins = _COMMENTS.match(sql)
    at = begins.end() if begins else 0
    if found := _WRITES.match(sql, at):
        return found[1].lower()
    return None if _READS.match(sql, at) or _READS_AFTER.match(sql, at) else ANY_TABLE
