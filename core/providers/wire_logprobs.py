"""How likely each token of an answer was, in OpenAI's form: taken from a stream piece by piece, and nothing else of it.

Pieces are what a library made of them, or plain JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.providers.events import Logprobs
from core.providers.wire import field_of


def logprobs_of(choice: Any) -> Logprobs | None:
    """What a chunk's choice says of its tokens; None where it says nothing that can be read."""
    content = field_of(field_of(choice, "logprobs"), "content")
    told = [_token(piece, beside=True) for piece in _listed(content)]
    tokens = tuple(token for token in told if token)
    return Logprobs(tokens) if tokens else None


def _token(piece: Any, *, beside: bool = False) -> dict[str, Any]:
    """One token with what is known of it; empty for what is none."""
    token, logprob = field_of(piece, "token"), field_of(piece, "logprob")
    # A number that JSON has no word for, as some servers send for "impossible", would make ours unreadable.
    if not isinstance(token, str) or not isinstance(logprob, int | float) or not math.isfinite(logprob):
        return {}
    told: dict[str, Any] = {"token": token, "logprob": logprob, "bytes": _bytes(field_of(piece, "bytes"))}
    if beside:
        others = [_token(other) for other in _listed(field_of(piece, "top_logprobs"))]
        told["top_logprobs"] = [other for other in others if other]
    return told


def _bytes(given: Any) -> list[int] | None:
    return list(given) if isinstance(given, list) and all(isinstance(byte, int) for byte in given) else None


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
