"""One call to one model: taking in its events, and saying what is wrong with a stream that ends badly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from core.catalog.models import ModelSpec
from core.chat.message_tokens import estimate_image_tokens_of, texts_of
from core.chat.metering import Meter
from core.chat.plain_text import with_visible_controls
from core.clock import Clock
from core.costs.token_count import estimate_tokens
from core.errors import ErrorClass, ProviderError
from core.providers.events import (
    Event,
    Finished,
    Logprobs,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolCalled,
    ToolCallPiece,
    Usage,
)
from core.providers.gateway import CompletionRequest, Gateway
from core.providers.parts import SignedReasoning, ToolCall

# What each message costs besides its text, in tokens (role and separators; OpenAI's cookbook counts 3 to 4).
_TOKENS_PER_MESSAGE = 4
# How long the usage may take after the finish reason: providers send it at once or not at all.
_USAGE_S = 5.0
# How much later than said a silence may end a call: setting the timer anew for every word takes longer than most else.
_LATE = 1 / 30

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class Answer:
    """What has arrived of an answer. Changes while the attempt runs, on the engine's loop only.

    `sent` is True once the request went out: from then on a provider may bill its input. `cached`: it is an answer that
    was kept, and nobody was asked. `after_steps`: it goes on after tools that its turn has called. `thought_ms` is how
    long the model has reasoned, up to the last piece of it that something else followed. `logprobs`: OpenAI's form.
    """

    started_at: datetime
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    call_pieces: list[ToolCallPiece] = field(default_factory=list)
    signed: SignedReasoning | None = None
    logprobs: list[Mapping[str, Any]] = field(default_factory=list)
    usage: Usage | None = None
    finish_reason: str | None = None
    upstream_model: str | None = None
    first_token_at: datetime | None = None
    sent: bool = False
    cached: bool = False
    after_steps: bool = False
    thought_ms: float = 0.0
    thinks_since: datetime | None = None

    @property
    def pieces(self) -> int:
        """How many pieces of text and reasoning, and calls of tools, have arrived."""
        return len(self.text) + len(self.reasoning) + len(self.calls) + len(self.call_pieces)

    def thought_until(self, now: datetime) -> float:
        """How long the model has reasoned by `now`, in milliseconds."""
        if self.thinks_since is None:
            return self.thought_ms
        return self.thought_ms + (now - self.thinks_since).total_seconds() * 1000

    def take(self, event: Event, *, now: Clock) -> None:
        """Add an event to the answer."""
        match event:
            case TextDelta(text):
                self._take_piece(self.text, text, now)
            case ReasoningDelta(text):
                self._take_piece(self.reasoning, text, now)
            case ToolCalled(call):
                self._take_piece(self.calls, call, now)
            case ToolCallPiece():
                self._take_piece(self.call_pieces, event, now)
            case ReasoningSigned(reasoning):
                self.signed = reasoning
            case Logprobs(tokens):
                self.logprobs += tokens
            case Usage():
                self.usage = event
            case Finished(reason):
                self.finish_reason = reason
            case Started(served_model):
                self.upstream_model = served_model

    def _take_piece(self, pieces: list[T], piece: T, now: Clock) -> None:
        if not piece:
            return
        moment = now() if self.first_token_at is None or self.thinks_since or pieces is self.reasoning else None
        self.first_token_at = self.first_token_at or moment
        if pieces is self.reasoning:
            self.thinks_since = self.thinks_since or moment
        elif self.thinks_since and moment:
            self.thought_ms, self.thinks_since = self.thought_until(moment), None
        pieces.append(piece)


async def run_attempt(
    gateway: Gateway,
    request: CompletionRequest,
    *,
    answer: Answer,
    emit: Callable[[Event], None],
    now: Clock,
    stall_s: float,
    meter: Meter | None = None,
) -> None:
    """Stream a completion into `answer`, passing every event on to `emit`.

    Raises ProviderError: STALL when nothing comes for `stall_s` seconds (`patience_s` before the first word), TRUNCATED
    when the stream ends without a finish reason, or what the gateway raised. Once the model has said that it is done,
    nothing that follows can spoil the answer: only the usage is still waited for. Leaving by any way closes the
    upstream connection. `meter` raises LimitReached when no money is left for the rest.
    """
    timer = asyncio.timeout(_wait_s(answer, request.model, stall_s))
    answer.sent = True
    try:
        async with timer, aclosing(gateway.stream(request)) as stream:  # type: ignore[type-var]
            async for event in stream:
                _take(event, answer=answer, emit=emit, now=now)
                if meter is not None and answer.finish_reason is None:
                    await meter.pass_on(event)
                _restart(timer, _wait_s(answer, request.model, stall_s))
    except Exception as error:
        if answer.finish_reason is not None:
            log.warning("%s: the stream broke after the finish reason: %r", request.model.id, error)
            return
        if timer.expired():
            raise _stalled(request.model.label, _wait_s(answer, request.model, stall_s)) from error
        raise
    if answer.finish_reason is None:
        raise _truncated(request.model.label)


def patience_s(model: ModelSpec, *, stall_s: float) -> float:
    """How long the first word of `model` may take, in seconds.

    A model on this machine says nothing while it reads the prompt: 130 tokens a second, measured, so a full window
    takes a minute. Its server is health-checked, so a longer wait does not hide a dead one.
    """
    return stall_s * 4 if model.provider.kind == "local" else stall_s


def _wait_s(answer: Answer, model: ModelSpec, stall_s: float) -> float:
    if answer.finish_reason is not None:
        return min(stall_s, _USAGE_S)
    return stall_s if answer.pieces else patience_s(model, stall_s=stall_s)


def _take(event: Event, *, answer: Answer, emit: Callable[[Event], None], now: Clock) -> None:
    # A model can emit NUL or half a surrogate pair; cleaned here, the readers and the store hold the same text.
    if isinstance(event, TextDelta | ReasoningDelta):
        text = with_visible_controls(event.text)
        event = event if text == event.text else replace(event, text=text)
    elif isinstance(event, ToolCalled):
        call = event.call
        cleaned = with_visible_controls(call.arguments)
        event = ToolCalled(replace(call, name=with_visible_controls(call.name), arguments=cleaned))
    elif isinstance(event, ToolCallPiece):
        event = replace(event, name=with_visible_controls(event.name), arguments=with_visible_controls(event.arguments))
    answer.take(event, now=now)
    emit(event)


def _restart(timer: asyncio.Timeout, seconds: float) -> None:
    """Have the timer run out in `seconds`, or up to a thirtieth of that later."""
    wanted = asyncio.get_running_loop().time() + seconds
    set_to = timer.when()
    # Between two words of a quick model it need not be set anew.
    if set_to is None or not wanted <= set_to <= wanted + seconds * _LATE:
        timer.reschedule(wanted + seconds * _LATE)


def usage_of(answer: Answer, request: CompletionRequest, *, answered: bool) -> tuple[Usage, bool]:
    """The tokens of an attempt, and whether they are our own count.

    The provider's figures where it sent them; a count of nothing for an answer that came is none. Else our own, for
    what was consumed, beside what the provider says it bills; nothing for a call that was never sent or (`answered` is
    False) was refused before a token came, because nobody bills those.
    """
    said = answer.usage
    if said is not None and (said.input_tokens or said.output_tokens or not answer.pieces):
        return said, False
    if not answer.pieces and not (answered and answer.sent):
        return Usage(input_tokens=0, output_tokens=0), False
    texts = texts_of(request.messages)
    image_tokens = estimate_image_tokens_of(request.messages, model=request.model)
    reasoning_tokens = estimate_tokens("".join(answer.reasoning))
    called = sum(estimate_tokens(f"{call.name} {call.arguments}") for call in answer.calls)
    return (
        Usage(
            input_tokens=sum(estimate_tokens(text) + _TOKENS_PER_MESSAGE for text in texts) + image_tokens,
            image_tokens=image_tokens,
            output_tokens=estimate_tokens("".join(answer.text)) + reasoning_tokens + called,
            reasoning_tokens=reasoning_tokens,
            service_tier=None if said is None else said.service_tier,
            reported_cost_usd=None if said is None else said.reported_cost_usd,
        ),
        True,
    )


def _stalled(label: str, stall_s: float) -> ProviderError:
    return ProviderError(
        ErrorClass.STALL,
        f"{label} sent nothing for {stall_s:g} seconds, so the connection was closed.",
        next_step="Try again, or choose another model.",
    )


def _truncated(label: str) -> ProviderError:
    return ProviderError(
        ErrorClass.TRUNCATED,
        f"The connection to {label} ended before the answer was finished.",
        next_step="Try again, or choose another model.",
    )
