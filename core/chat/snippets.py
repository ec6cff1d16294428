"""The part of a text around what was searched for, with every hit marked. Case and accents do not matter."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

_BEFORE = 60
# Beyond this a message is not looked through for marks: the search has, and the snippet then shows its beginning.
_LOOKED_AT = 200_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a snippet: plain text, and whether it is what was searched for."""

    text: str
    hit: bool = False


def fold(text: str) -> str:
    """`text` without case and accents, as near to the store's own rule as a snippet needs."""
    return "".join(_folded_letters(text))


def snippet(text: str, terms: Sequence[str], *, length: int = 180) -> list[Piece]:
    """About `length` characters around the first hit, on one line; from the beginning when there is none.

    The pieces, joined, are the text but for white space and an ellipsis where it was cut.
    """
    line = " ".join(text[:_LOOKED_AT].split())
    hits = find_hits(line, terms)
    start = _start_of_word(line, hits[0][0] - _BEFORE) if hits else 0
    end = min(len(line), start + length)
    pieces = [Piece("…")] if start else []
    at = start
    for first, last in hits:
        if first < at or last > end:
            continue
        pieces += [Piece(line[at:first]), Piece(line[first:last], hit=True)]
        at = last
    pieces.append(Piece(line[at:end]))
    if end < len(line) or len(text) > _LOOKED_AT:
        pieces.append(Piece("…"))
    return [piece for piece in pieces if piece.text]


def find_hits(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Where the terms stand in `text`, as (start, end), from left to right and never overlapping."""
    letters = _folded_letters(text)
    folded = "".join(letters)
    starts = _starts(letters)
    found: list[tuple[int, int]] = []
    for term in filter(None, map(fold, terms)):
        at = folded.find(term)
        while at >= 0:
            last = at + len(term) - 1
            found.append((bisect_right(starts, at) - 1, bisect_right(starts, last)))
            at = folded.find(term, at + len(term))
    return _without_overlaps(found)


def _folded_letters(text: str) -> list[str]:
    """What remains of each character: none, one or several."""
    if text.isascii():
        return list(text.lower())
    return [
        "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part)).lower()
        for letter in text
    ]


def _starts(letters: Sequence[str]) -> list[int]:
    """Where each character begins in the folded text."""
    starts, at = [], 0
    for letter in letters:
        starts.append(at)
        at += len(letter)
    return starts


def _without_overlaps(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for first, last in sorted(found, key=lambda hit: (hit[0], -hit[1])):
        if not kept or first >= kept[-1][1]:
            kept.append((first, last))
    return kept


def _start_of_word(line: str, near: int) -> int:
    if near <= 0:
        return 0
    space = line.find(" ", near)
    return space + 1 if 0 <= space < near + _BEFORE else near
