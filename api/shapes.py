"""What the API answers, as shapes for its OpenAPI document. Nothing is checked against them while it runs: tests do."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.completion_body import ThinkingBlock, WireCall


class _Told(BaseModel):
    """An answer of ours: these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(_Told):
    """What went wrong. `param` is the field of the request that is wrong, `code` is for programs."""

    message: str
    type: str
    param: str | None
    code: str | None


class Error(_Told):
    """An error in OpenAI's shape."""

    error: ErrorDetail


class AnswerMessage(_Told):
    """What was said. `reasoning_content` and `thinking_blocks` only where the model shows its reasoning."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    reasoning_content: str | None = None
    thinking_blocks: list[ThinkingBlock] | None = None
    tool_calls: list[WireCall] | None = None


class OtherToken(_Told):
    """A token that could have stood there."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenTold(OtherToken):
    """A token of the answer, and the likeliest ones in its place."""

    top_logprobs: list[OtherToken]


class Logprobs(_Told):
    """How likely the tokens were; only where it was asked for and the model's provider says it."""

    content: list[TokenTold]
    refusal: None


class Choice(_Told):
    """The one answer."""

    index: int
    message: AnswerMessage
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"]
    logprobs: Logprobs | None


class CachedTokens(_Told):
    """Of the input."""

    cached_tokens: int


class ReasoningTokens(_Told):
    """Of the output."""

    reasoning_tokens: int


class Usage(_Told):
    """Tokens over all calls that the answer took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    completion_tokens_details: ReasoningTokens


class Completion(_Told):
    """A whole answer. `model` is the one that answered."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage | None


class ShortStatus(_Told):
    """How a model is doing."""

    state: Literal["healthy", "slow", "down", "unknown", "starting", "no_key"]
    reason: str
    first_token_ms: float | None


class Model(_Told):
    """A model. Prices are exact US dollars as text, null where nobody knows them; `request` is for a call."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    name: str
    context_window: int | None
    max_output_tokens: int | None
    capabilities: list[str]
    use_cases: list[str]
    prices_usd_per_million_tokens: dict[str, str] | None
    status: ShortStatus


class ModelList(_Told):
    """The models that the token may call."""

    object: Literal["list"]
    data: list[Model]


class CallCounts(_Told):
    """Calls of a stretch of time. `limited` met a rate limit and count as neither; the share is from 0 to 1."""

    worked: int
    failed: int
    limited: int
    success_share: float | None


class Stretches(_Told):
    """The last five minutes, half hour and 24 hours."""

    five_minutes: CallCounts
    half_hour: CallCounts
    day: CallCounts


class PercentilesTold(_Told):
    """Median and 95th percentile; null with fewer than 20 samples."""

    samples: int
    p50: float | None
    p95: float | None


class FirstToken(_Told):
    """Milliseconds to the first token."""

    half_hour: PercentilesTold
    day: PercentilesTold


class HeadroomTold(_Told):
    """What is left of the provider's limits a minute."""

    requests_left: int | None
    requests_limit: int | None
    tokens_left: int | None
    tokens_limit: int | None
    reported_by_provider: bool


class Status(_Told):
    """How a model has been doing. Moments are UTC; `cooling_until`: left alone until then."""

    id: str
    object: Literal["model.status"]
    state: Literal["healthy", "slow", "down", "unknown", "starting", "no_key"]
    reason: str
    calls: Stretches
    first_token_ms: FirstToken
    tokens_per_second: PercentilesTold
    last_call_at: str | None
    last_error: str | None
    last_error_at: str | None
    headroom: HeadroomTold | None
    cooling_until: str | None


class UsageFigures(_Told):
    """What calls took. `cost_usd` is exact, as text, and leaves out the `unpriced` calls, whose cost nobody knows."""

    calls: int
    cost_usd: str
    unpriced: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int


class UsageReport(_Told):
    """Groups of calls: each row has the names in `by` with its values, and the figures."""

    from_: str = Field(alias="from")
    until: str
    zone: str
    by: list[str]
    groups: int
    page: int
    rows: list[dict[str, Any]]
    totals: UsageFigures


class Health(_Told):
    """Whether calls can be served, and which part cannot.

    `degraded`: all but the model that ships with the app; `draining`: only those that are under way.
    """

    status: Literal["ok", "degraded", "draining", "unavailable"]
    store: Literal["ok", "unavailable"]
    engine: Literal["ok", "draining", "unavailable"] | None = None
    local_model: Literal["ok", "off", "starting", "unavailable"] | None = None
    redis: Literal["off", "ok", "away"] | None = None
