"""The 100 messages of the long conversation, the same for both applications."""

from __future__ import annotations

from typing import Literal

from bench.provider import rendered
from tests.support import provider_text

Role = Literal["user", "assistant"]
LENGTH = 100
_ANSWER_TOKENS = 80


def messages() -> list[tuple[Role, str]]:
    """Questions of a line and answers of two short paragraphs with bold and code, in turns.

    The opening words differ from those of the provider's answers, so that a fresh answer is recognised on the page.
    """
    answer = "".join(provider_text.prose(_ANSWER_TOKENS)).replace("The", "Any").replace("the", "any")
    pairs = [
        [("user", f"What about point {number} of our plan?"), ("assistant", f"Point {number}. {answer}")]
        for number in range(1, LENGTH // 2 + 1)
    ]
    return [(role, text) for pair in pairs for role, text in pair]  # type: ignore[misc]


def last_words() -> str:
    """How the last message ends, as a page shows it."""
    return rendered(messages()[-1][1])[-30:]
