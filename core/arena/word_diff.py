"""What differs between two answers, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# A word with the white space behind it: joined again, the pieces are the text.
_PIECE = re.compile(r"\S+\s*|\s+")
# Beyond this much text in one of them, whole lines are compared: words would take seconds.
_MOST_WORDS = 6_000


@dataclass(frozen=True, slots=True)
class Part:
    """A run of text that stands in both, or in one of the two only."""

    where: Literal["both", "left", "right"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordDiff:
    """Two texts in one: the parts in the order of reading, and the counts in words.

    `same` counts the words that stand in both, at the same place of the order.
    """

    parts: Sequence[Part]
    left_words: int
    right_words: int
    same: int

    @property
    def same_percent(self) -> int:
        """Whole percent of the words of both that are the same, rounded down: 100 only when nothing differs."""
        total = self.left_words + self.right_words
        return 200 * self.same // total if total else 100


def word_diff(left: str, right: str) -> WordDiff:
    """Compare two texts word by word, without regard to the white space between words."""
    by_word = max(len(left), len(right)) // 4 <= _MOST_WORDS
    lefts, rights = (_PIECE.findall(text) if by_word else text.splitlines(keepends=True) for text in (left, right))
    matcher = SequenceMatcher(None, [piece.strip() for piece in lefts], [piece.strip() for piece in rights])
    parts: list[Part] = []
    same = 0
    for kind, left_from, left_to, right_from, right_to in matcher.get_opcodes():
        if kind == "equal":
            # At the end of one text there is no white space before what follows in the other.
            last = max(lefts[left_to - 1], rights[right_to - 1], key=len)
            parts.append(Part("both", "".join([*rights[right_from : right_to - 1], last])))
            same += _words(parts[-1].text)
            continue
        if left_from < left_to:
            parts.append(Part("left", "".join(lefts[left_from:left_to])))
        if right_from < right_to:
            parts.append(Part("right", "".join(rights[right_from:right_to])))
    return WordDiff(parts=parts, left_words=_words(left), right_words=_words(right), same=same)


def _words(text: str) -> int:
    return len(text.split())
