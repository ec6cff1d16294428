"""The text that the loopback provider answers: deterministic Markdown, cut into tokens.

One token is one word with the white space before it, so that a token count is a word count.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SOURCE = (
    "the model answers in plain words and every sentence carries one idea so that a reader can follow it without "
    "effort while numbers such as twelve or forty stand beside their units and a short example shows what is meant"
)
_WORDS = _SOURCE.split()
_WORDS_A_PARAGRAPH = 60
_WORDS_A_SENTENCE = 12


@lru_cache(maxsize=64)
def prose(count: int) -> tuple[str, ...]:
    """`count` tokens of paragraphs of 60 words with a blank line between them; some words are bold or code."""
    return tuple(_prose_token(index) for index in range(count))


@lru_cache(maxsize=64)
def code(count: int) -> tuple[str, ...]:
    """`count` tokens: one sentence, then one Python block that lasts to the end, fence closed."""
    lines = [
        f"def step_{n}(value):\n    total = value * {n} + {n % 7}\n    return total\n" for n in range(count // 10 + 1)
    ]
    tokens = re.findall(r"\s*\S+", "Here is the code:\n\n```python\n" + "\n".join(lines))
    return (*tokens[: count - 1], "\n```") if count > 1 else tuple(tokens[:count])


def words(text: str) -> tuple[str, ...]:
    """Any text as tokens; joined again they give the text."""
    return tuple(re.findall(r"\s*\S+|\s+", text))


def _prose_token(index: int) -> str:
    word = _WORDS[(index * 7 + index // 13) % len(_WORDS)]
    if index % 41 == 17:
        word = f"**{word}**"
    elif index % 53 == 29:
        word = f"`{word}`"
    if index % _WORDS_A_SENTENCE == 0:
        word = word.capitalize()
    if index % _WORDS_A_SENTENCE == _WORDS_A_SENTENCE - 1:
        word += "."
    if index == 0:
        return word
    return ("\n\n" if index % _WORDS_A_PARAGRAPH == 0 else " ") + word
