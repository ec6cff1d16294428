"""What the loopback provider does with a request: value types, and the model names that stand for them.

A name says it all, so that another process (the bench, a browser test) needs no other channel:

    bench-t500-r200-f200         500 tokens at 200 a second, the first after 200 ms; `-code` adds one long code block
    fault-401 -403 -404 -429 -500 -context -policy      refused before the first token
    fault-stall -truncated -dropped -reset -malformed   breaks after 5 tokens
    fault-no-usage                                      a whole answer without a usage block
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.support import provider_text

# truncated: the body ends properly, without finish_reason and [DONE]. dropped: the connection closes in mid-body.
# reset: the same with a TCP reset. stall: nothing more comes. malformed: a chunk that is no JSON.
Ending = Literal["complete", "truncated", "dropped", "reset", "stall", "malformed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A stream of tokens. `tokens_per_second=0` sends flat out; `ending` strikes after `break_after` tokens.

    `calls` are tools that it calls at its end, by name and arguments.
    """

    tokens: tuple[str, ...]
    tokens_per_second: float = 0.0
    first_token_ms: float = 0.0
    reasoning: tuple[str, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    finish_reason: str = "stop"
    usage: bool = True
    extra_usage: Mapping[str, Any] = field(default_factory=dict)
    served_model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = "complete"
    break_after: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer in OpenAI's shape."""

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """A recorded event stream, sent as it is: for wire formats other than OpenAI's."""

    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


Behaviour = Answer | Refusal | Canned


def say(text: str, **options: Any) -> Answer:
    """An answer of exactly `text`."""
    return Answer(tokens=provider_text.words(text), **options)


def call(*calls: tuple[str, str], **options: Any) -> Answer:
    """An answer that calls tools: (name, arguments)."""
    return Answer(**{"tokens": (), **options}, calls=calls, finish_reason="tool_calls")


UNAUTHORIZED = Refusal(
    status=401, code="invalid_api_key", message="Incorrect API key provided: sk-abcd1234efgh5678ijkl. Check your key."
)
FORBIDDEN = Refusal(status=403, code="permission_denied", message="This key may not use this model.")
NOT_FOUND = Refusal(status=404, code="model_not_found", message="The model does not exist.")
RATE_LIMITED = Refusal(
    status=429, type="requests", code="rate_limit_exceeded", message="Rate limit reached.", retry_after="7"
)
SERVER_ERROR = Refusal(status=500, type="server_error", message="The server had an error.")
CONTEXT_LENGTH = Refusal(
    status=400,
    code="context_length_exceeded",
    message="This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
)
CONTENT_POLICY = Refusal(
    status=400, code="content_policy_violation", message="Your request was rejected as a result of our safety system."
)
BAD_REQUEST = Refusal(status=400, message="'temperature' must be at most 2.")

_REFUSALS = {
    "400": BAD_REQUEST,
    "401": UNAUTHORIZED,
    "403": FORBIDDEN,
    "404": NOT_FOUND,
    "429": RATE_LIMITED,
    "500": SERVER_ERROR,
    "context": CONTEXT_LENGTH,
    "policy": CONTENT_POLICY,
}
_ENDINGS: tuple[Ending, ...] = ("truncated", "dropped", "reset", "stall", "malformed")


def behaviour_named(model: str) -> Behaviour:
    """The behaviour that a model name stands for; any other name answers 20 tokens at once."""
    timed = re.fullmatch(r"bench-t(\d+)-r(\d+)-f(\d+)(-code)?", model)
    if timed:
        count, rate, first_ms = (int(timed[group]) for group in (1, 2, 3))
        tokens = provider_text.code(count) if timed[4] else provider_text.prose(count)
        return Answer(tokens=tokens, tokens_per_second=rate, first_token_ms=first_ms)
    fault = model.removeprefix("fault-")
    if fault in _REFUSALS:
        return _REFUSALS[fault]
    for ending in _ENDINGS:
        if fault == ending:
            return Answer(tokens=provider_text.prose(20), ending=ending)
    return Answer(tokens=provider_text.prose(20), usage=fault != "no-usage")
