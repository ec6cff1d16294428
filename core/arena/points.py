"""The points that several answers make, for a person to tick: found by their form, without asking a model. Pure.

A point is an item of a list; in an answer without lists a sentence, or the first one of every paragraph where there are
many. Two that share most of their words are one point that several answers make.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_POINTS = 40
# An answer of more sentences is told by the first one of every paragraph.
_MOST_SENTENCES = 12
_LONGEST = 240
_FEWEST_WORDS = 2
# Of the words of the shorter point, how many must stand in the other one.
_ALIKE = 0.6

_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z]|[0-9\"'(])")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_MARKS = re.compile(r"[*_`#]+")
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by can for from has have if in is it its not of on or so that the this to was were "
        "will with you your",
    )
)


@dataclass(frozen=True, slots=True)
class Point:
    """One point, and the places of the answers that make it, in order."""

    text: str
    answers: Sequence[int]


def points_of(answers: Sequence[str]) -> list[Point]:
    """What the answers say, those points first that most of them make; at most 40."""
    found: list[tuple[str, frozenset[str], list[int]]] = []
    for place, answer in enumerate(answers):
        for text in _candidates(answer):
            words = _content_words(text)
            if len(words) < _FEWEST_WORDS:
                continue
            known = next((entry for entry in found if _alike(entry[1], words)), None)
            if known is None:
                found.append((text, words, [place]))
            elif place not in known[2]:
                known[2].append(place)
    found.sort(key=lambda entry: -len(entry[2]))
    return [Point(text, tuple(places)) for text, _, places in found[:MOST_POINTS]]


def _candidates(answer: str) -> list[str]:
    prose = _FENCED.sub("", answer)
    texts = [match[1] for line in prose.splitlines() if (match := _ITEM.match(line))]
    if not texts:
        paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", prose)]
        told = [_SENTENCE_END.split(text) for text in paragraphs if text and not text.startswith(("#", "|"))]
        sentences = [sentence for paragraph in told for sentence in paragraph]
        short = len(sentences) <= _MOST_SENTENCES or len(told) == 1
        texts = sentences[:_MOST_SENTENCES] if short else [paragraph[0] for paragraph in told]
        # What leads up to something, or asks, makes no point.
        texts = [text for text in texts if not text.endswith((":", "?"))]
    return [cleaned for text in texts if (cleaned := _cleaned(text))]


def _cleaned(text: str) -> str:
    plain = " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1].rsplit(' ', 1)[0]}…"


def _content_words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.casefold()) if word not in _SMALL)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * min(len(one), len(other))
