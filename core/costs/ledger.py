"""The ledger: one row per attempt, written once. Corrections are rows of their own (core.costs.repricing)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.catalog.models import ParameterValue
from core.costs.pricing import Cost
from core.providers.events import Usage
from core.store.attempt_rows import record_row, record_rows
from core.store.database import Cursor

# Whose calls those are that no person asked for, such as probes: no user has this id.
NOBODY = "switchboard"
# What stands before the name of a person whom nobody here knows, whose calls came with a file.
PLACEHOLDER = "import:"
# The status of a call whose answer was ended because nothing was left of a budget.
OUT_OF_MONEY = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to one model: who asked, what answered, when, how many tokens, what it cost, how it ended.

    `status` is "ok", "stopped", "interrupted", OUT_OF_MONEY or the value of an ErrorClass. Times are naive UTC.
    """

    id: str
    turn_id: str
    user_id: str
    conversation_id: str | None
    source: str
    use_case: str | None
    requested_model: str
    served_model: str | None
    upstream_model: str | None
    provider: str
    parameters: Mapping[str, ParameterValue]
    started_at: datetime
    first_token_at: datetime | None
    ended_at: datetime
    usage: Usage
    cost: Cost
    price_version: str | None
    status: str
    error_message: str | None = None
    parent_id: str | None = None
    fallback_of: str | None = None
    cached: bool = False
    counted_by_us: bool = False


def record_attempt(cur: Cursor, attempt: Attempt) -> None:
    """Append an attempt within the caller's transaction, so that it lands with the turn it belongs to."""
    record_row(cur, _row(attempt))


def record_attempts(cur: Cursor, attempts: Sequence[Attempt]) -> None:
    """Append many attempts at once, in the order of the time they started."""
    record_rows(cur, [_row(attempt) for attempt in sorted(attempts, key=lambda attempt: attempt.started_at)])


def _row(attempt: Attempt) -> dict[str, object]:
    return {**_whose(attempt), **_what(attempt), **_tokens_and_cost(attempt.usage, attempt.cost)}


def _whose(attempt: Attempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "turn_id": attempt.turn_id,
        "parent_id": attempt.parent_id,
        "conversation_id": attempt.conversation_id,
        "user_id": attempt.user_id,
        "source": attempt.source,
        "use_case": attempt.use_case,
    }


def _what(attempt: Attempt) -> dict[str, object]:
    return {
        "requested_model": attempt.requested_model,
        "served_model": attempt.served_model,
        "upstream_model": attempt.upstream_model,
        "provider": attempt.provider,
        "parameters": json.dumps(dict(attempt.parameters), sort_keys=True),
        "started_at": attempt.started_at,
        "first_token_at": attempt.first_token_at,
        "ended_at": attempt.ended_at,
        "price_version": attempt.price_version,
        "status": attempt.status,
        "error_message": attempt.error_message,
        "fallback_of": attempt.fallback_of,
        "cached": attempt.cached,
        "counted_by_us": attempt.counted_by_us,
    }


def _tokens_and_cost(usage: Usage, cost: Cost) -> dict[str, object]:
    return {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "image_tokens": usage.image_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "audio_tokens": usage.audio_tokens,
        "audio_output_tokens": usage.audio_output_tokens,
        "service_tier": usage.service_tier,
        "computed_cost_usd": cost.computed_cost_usd,
        "reported_cost_usd": cost.reported_cost_usd,
        "cost_usd": cost.cost_usd,
        "cost_code": cost.code,
        "cache_saved_usd": cost.cache_saved_usd,
    }
