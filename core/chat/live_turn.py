"""A turn while it runs, as the engine, its writer and its readers share it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.catalog.models import ModelSpec
from core.chat.admission import TurnRequest
from core.chat.attempt import Answer
from core.chat.conversation import FallbackChoice, Message, ToolStep
from core.chat.outcome import Ending, Outcome
from core.chat.turn_buffer import TurnBuffer
from core.chat.turn_record import TurnIds
from core.costs.ledger import Attempt
from core.errors import ProviderError
from core.providers.gateway import CompletionRequest
from core.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt that was followed by another one: it brought nothing visible, or it called tools."""

    completion: CompletionRequest
    answer: Answer
    outcome: Outcome
    ended_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class LiveTurn:
    """A running turn.

    Readers use `buffer`, and `result` after it has ended: the answer, stored unless its error message says otherwise.
    `recorded` are the ledger rows that were stored with it, oldest first; empty as long as nobody knows that they were.
    The rest belongs to the engine's loop: `model` is the one that was asked for, `completion` and `answer` are those
    of the attempt under way, `error` is why it failed, and `tries` are the attempts before it. `held` says that the
    limits have let the call under way pass; a kept answer needs that only when it is gone by the time it is wanted.
    `covered_tokens` of output are what it holds money for, None where no hard budget pays.
    `left_out` counts the oldest messages that are not sent. `tools` are those that a model may call, `steps` what it
    did with them, `thought_ms` how long it reasoned before the last of these; `out_of_calls`: all are made.
    """

    ids: TurnIds
    request: TurnRequest
    model: ModelSpec
    started_at: datetime
    completion: CompletionRequest
    answer: Answer
    history: Sequence[Message] = ()
    left_out: int = 0
    fallback: FallbackChoice = "automatic"
    tries: list[Try] = field(default_factory=list)
    tools: Sequence[Tool] = ()
    steps: list[ToolStep] = field(default_factory=list)
    thought_ms: float = 0.0
    out_of_calls: bool = False
    error: ProviderError | None = None
    held: bool = False
    covered_tokens: int | None = None
    buffer: TurnBuffer = field(default_factory=TurnBuffer)
    result: Message | None = None
    recorded: Sequence[Attempt] = ()
    ending: Ending | None = None
    ended_early: asyncio.Event = field(default_factory=asyncio.Event)

    def thought_until(self, now: datetime) -> float:
        """How long the model has reasoned by `now`, in milliseconds. From any thread."""
        return self.thought_ms + self.answer.thought_until(now)

    def end_early(self, ending: Ending) -> None:
        """Close the upstream connection and end with what has arrived. The first ending counts. On the loop only."""
        self.ending = self.ending or ending
        self.ended_early.set()
