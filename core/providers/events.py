"""What a gateway yields while a model answers, and what happens between two attempts.

Pure values: identity and storage live elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.providers.parts import SignedReasoning, ToolCall


@dataclass(frozen=True, slots=True)
class Started:
    """The provider accepted the call. `served_model` is its own name for who answers, where it says so."""

    served_model: str | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's reasoning, in order, never part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Logprobs:
    """How likely the tokens of the last piece of the answer were, in OpenAI's form; only where a request asks."""

    tokens: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ReasoningSigned:
    """The model signed its reasoning and wants it back, unchanged, with the results of the tools it calls."""

    reasoning: SignedReasoning


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPiece:
    """A piece of the call at place `index` of an answer, before its ToolCalled: only where a request `streams_calls`.

    `id` and `name` are empty but in the piece that brings them.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool; the call is whole. Those of one answer come together, at its end."""

    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReturned:
    """What the oldest call that had no result yet brought; put there by whoever runs tools.

    `failed`: `text` says why there is no result, for the model to read.
    """

    text: str
    failed: bool
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, normalised: totals, with the details as subsets of them.

    `input_tokens` includes `cached_input_tokens`, `cache_write_tokens`, `image_tokens` and `audio_tokens`;
    `cache_write_tokens` includes `cache_write_1h_tokens`, which are kept for an hour instead of minutes;
    `output_tokens` includes `reasoning_tokens` and `audio_output_tokens`. Providers that report details beside the
    totals are added up in the gateway, once, at the edge. `service_tier` is the level of service that the provider says
    it gave: "batch", "flex", "priority"; None for the usual one. `reported_cost_usd` is what it says it bills.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    image_tokens: int = 0
    cache_write_1h_tokens: int = 0
    audio_tokens: int = 0
    audio_output_tokens: int = 0
    service_tier: str | None = None
    reported_cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The model said it was done: "stop", "length", "content_filter" or "tool_calls".

    A stream that ends without one is broken.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """Nothing visible has come, and another attempt follows; put between the attempts by whoever makes them.

    `model_label` names who is asked next, after `wait_s` seconds; `instead` says that it is another model than before.
    `reason` is what happened, in words, without a full stop.
    """

    model_label: str
    reason: str
    wait_s: float = 0.0
    instead: bool = False


Event = (
    Started
    | TextDelta
    | ReasoningDelta
    | Logprobs
    | ReasoningSigned
    | ToolCallPiece
    | ToolCalled
    | ToolReturned
    | Usage
    | Finished
    | Retrying
)
