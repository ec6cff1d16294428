"""What an answer takes while it arrives, against the money that its call holds.

A call holds its estimate (core.costs.budgets). An answer that is longer asks for more, a stretch at a time, before the
provider has written it: so many calls at once whose estimates were all too low end where the budget does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from core.chat.admission import TurnRequest
from core.chat.allowance import Limits
from core.chat.message_tokens import BYTES_PER_TOKEN
from core.costs.token_count import estimate_tokens
from core.providers.events import Event, ReasoningDelta, TextDelta, ToolCallPiece
from core.providers.gateway import CompletionRequest

# A stretch: short, so that nobody holds much that another answer could use, and a second of most models' writing.
STRETCH_TOKENS = 64


class Meter:
    """Counts the output of one call. Used by one task at a time."""

    def __init__(self, covered_tokens: int, *, cover: Callable[[int], int]) -> None:
        """`covered_tokens` are paid for. `cover` pays for up to so many in all and says for how many.

        It raises LimitReached when nothing is left, and may block: it is called on a thread.
        """
        self._covered, self._cover = covered_tokens, cover
        self._counted = 0
        # Not counted yet.
        self._pieces: list[str] = []
        self._bytes = 0

    async def pass_on(self, event: Event) -> None:
        """Count what has come, and wait until the next stretch is paid for. Raises LimitReached when it cannot be."""
        text = _output_of(event)
        if not text:
            return
        self._pieces.append(text)
        self._bytes += len(text.encode("utf-8", "replace"))
        # Counted only when it matters. No text has more tokens, but in scripts that a tokenizer takes to bytes.
        if self._counted + self._bytes // BYTES_PER_TOKEN >= self._covered:
            await asyncio.to_thread(self._look)

    def _look(self) -> None:
        self._counted += estimate_tokens("".join(self._pieces))
        self._pieces, self._bytes = [], 0
        while self._counted >= self._covered:
            self._covered = self._cover(self._counted + STRETCH_TOKENS)


def meter_of(
    limits: Limits, request: TurnRequest, completion: CompletionRequest, *, turn_id: str, covered_tokens: int | None
) -> Meter | None:
    """The meter of a call that holds money for so many tokens; None where no hard budget pays."""
    if covered_tokens is None:
        return None
    cover = partial(limits.cover, request, completion, turn_id=turn_id)
    return Meter(covered_tokens, cover=lambda tokens: cover(output_tokens=tokens))


def admit_metered(limits: Limits, request: TurnRequest, completion: CompletionRequest, *, turn_id: str) -> Meter | None:
    """Let a call of a turn of its own pass, and the meter it needs. Raises LimitReached. It blocks."""
    covered_tokens = limits.admit(turn_id, request, completion)
    return meter_of(limits, request, completion, turn_id=turn_id, covered_tokens=covered_tokens)


def _output_of(event: Event) -> str:
    match event:
        case TextDelta(text) | ReasoningDelta(text):
            return text
        case ToolCallPiece():
            return event.name + event.arguments
        case _:
            return ""
