"""Normalises a provider's usage block, once, at the edge: totals, with the details as subsets of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from core.providers.events import Usage
from core.providers.wire import field_of

_WRITES_BY_TIME = "cache_creation_token_details"


# What providers call the service that everybody gets: OpenAI, Anthropic, Groq and Bedrock.
_USUAL = frozenset({"", "auto", "default", "standard", "on_demand"})


def usage_event(usage: Any, *, service_tier: Any = None) -> Usage:
    """The Usage event of a usage block in OpenAI's or LiteLLM's shape.

    `service_tier` is what the answer says of it beside its usage.

    Cached, written, image and audio tokens end up within `input_tokens`, reasoning and audio that comes out within
    `output_tokens`. Most providers send them so already. Where they stand beside the totals (xAI's reasoning, some
    proxies' cache), the grand total or the sizes themselves show it, and they are added.
    """
    prompt, completion = field_of(usage, "prompt_tokens_details"), field_of(usage, "completion_tokens_details")
    cached = _count(prompt, "cached_tokens") or _count(usage, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    written = _count(prompt, "cache_creation_tokens", "cache_write_tokens")
    written = written or _count(usage, "cache_creation_input_tokens")
    reasoning = _count(completion, "reasoning_tokens")
    given = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"), _count(usage, "total_tokens")
    input_tokens, output_tokens = _with_additions(given, cache=cached + written, reasoning=reasoning)
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        image_tokens=min(_count(prompt, "image_tokens"), input_tokens),
        cache_write_1h_tokens=min(_count(field_of(prompt, _WRITES_BY_TIME), "ephemeral_1h_input_tokens"), written),
        audio_tokens=min(_count(prompt, "audio_tokens"), input_tokens),
        audio_output_tokens=min(_count(completion, "audio_tokens"), output_tokens),
        service_tier=_service(service_tier) or _service(field_of(usage, "service_tier")),
        reported_cost_usd=_billed(usage),
    )


def _with_additions(given: tuple[int, int, int], *, cache: int, reasoning: int) -> tuple[int, int]:
    prompt, completion, total = given
    beside = total - prompt - completion
    if reasoning > completion or (beside and beside in {reasoning, reasoning + cache}):
        completion += reasoning
    if cache > prompt or (beside and beside in {cache, reasoning + cache}):
        prompt += cache
    return prompt, completion


def _count(block: Any, *names: str) -> int:
    """The first of the fields that holds a positive number; 0 when none does."""
    for name in names:
        value = field_of(block, name)
        if isinstance(value, int | float) and value > 0:
            return int(value)
    return 0


def _service(name: Any) -> str | None:
    """A level of service by its one name; None for the usual one and where nothing is said."""
    word = name.strip().casefold() if isinstance(name, str) else ""
    return None if word in _USUAL else word


def _billed(usage: Any) -> Decimal | None:
    """What a call is billed with, by whomever.

    A call that OpenRouter makes with the team's own key at the provider is billed twice: its fee is `cost`, what the
    provider takes stands beside it.
    """
    cost = _cost(field_of(usage, "cost"))
    if cost is None or not field_of(usage, "is_byok"):
        return cost
    upstream = _cost(field_of(field_of(usage, "cost_details"), "upstream_inference_cost"))
    return None if upstream is None else cost + upstream


def _cost(value: Any) -> Decimal | None:
    """What the provider says it bills, in USD: a number, or a block with `total_cost`."""
    if isinstance(value, Mapping) or hasattr(value, "total_cost"):
        return _cost(field_of(value, "total_cost"))
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    return cost if cost.is_finite() and cost >= 0 else None
