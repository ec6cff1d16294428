"""What a message is about, guessed from its words: no model, no network, some tens of microseconds. Pure.

The table below is all there is to it, and the page applies the same one to a draft in the browser (ui/guess.js).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

# Whoever writes a long message says early what it is for; the rest would only cost time.
LOOKED_AT_CHARACTERS = 400
# What it takes: two plain words or one clear sign, and more than for any other use case.
ENOUGH_POINTS = 2
LEAST_LEAD = 1

_CODING = (
    "python javascript typescript java rust golang sql regex bash docker kubernetes git api json yaml html css bug "
    "function class method variable compile compiler refactor debug exception stacktrace traceback endpoint script "
    "unittest pytest code dataframe pandas async"
)
_WRITING = (
    "write rewrite rephrase proofread draft email letter essay article blog post newsletter headline tone paragraph "
    "translate translation grammar wording polite speech announcement story poem linkedin press"
)
_ANALYSIS = (
    "analyse analyze analysis compare comparison evaluate assess trend trends data dataset statistics forecast "
    "correlation hypothesis report figures quarterly revenue risks tradeoffs pros cons strategy root cause summarise "
    "summarize"
)
_IMAGES = "image picture photo screenshot photograph diagram chart drawing"
WORDS: Mapping[str, frozenset[str]] = {
    "coding": frozenset(_CODING.split()),
    "writing": frozenset(_WRITING.split()),
    "analysis": frozenset(_ANALYSIS.split()),
    "images": frozenset(_IMAGES.split()),
}
# Pieces of text, in lower case, that say as much as two words.
SIGNS: Mapping[str, tuple[str, ...]] = {
    "coding": ("```", "traceback (most recent", "def ", "();", "=> {", "#include", "select * from", "stack trace"),
    "writing": ("write an email", "write a letter", "dear ", "cover letter", "make it sound"),
    "analysis": ("pros and cons", "root cause", "what does the data", "compared to last"),
    "images": ("in this image", "in the image", "in this picture", "this photo", "this screenshot"),
}
SIGN_POINTS = 2
_WORD = re.compile(r"[a-z]+")


def guess_use_case(text: str, known: Collection[str]) -> str | None:
    """The use case among `known` that the first 400 characters of a message speak for; None when unsure."""
    looked_at = text[:LOOKED_AT_CHARACTERS].lower()
    words = set(_WORD.findall(looked_at))
    points = sorted(((_points(name, looked_at, words), name) for name in WORDS if name in known), reverse=True)
    if not points or points[0][0] < ENOUGH_POINTS:
        return None
    second = points[1][0] if len(points) > 1 else 0
    return points[0][1] if points[0][0] - second >= LEAST_LEAD else None


def _points(use_case: str, text: str, words: set[str]) -> int:
    signs = sum(sign in text for sign in SIGNS[use_case])
    return len(words & WORDS[use_case]) + SIGN_POINTS * signs
