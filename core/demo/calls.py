"""One question of the demo with its calls: which model, how many tokens, when, at what cost, and what went wrong."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from core.catalog.models import ModelSpec
from core.costs.ledger import Attempt
from core.costs.pricing import price_attempt, price_cached
from core.demo.shapes import draw_tokens
from core.errors import ErrorClass
from core.providers.events import Usage

# Shares of the calls.
_FAILS, _STOPPED, _KEPT, _FROM_CACHE, _THINKS = 0.03, 0.02, 0.012, 0.6, 0.3
_FAILURES = (ErrorClass.RATE_LIMIT, ErrorClass.RATE_LIMIT, ErrorClass.SERVER, ErrorClass.STALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: by whom, where, when, of which model. `depth` is how many questions came before it."""

    turn_id: str
    conversation_id: str | None
    user_id: str
    source: str
    use_case: str
    model: ModelSpec
    asked_at: datetime
    depth: int


def id_at(moment: datetime, random: Random) -> str:
    """A UUIDv7 of a moment (naive UTC), so that made-up rows are in the order of time too."""
    milliseconds = int((moment - datetime(1970, 1, 1)).total_seconds() * 1000)  # noqa: DTZ001 - naive UTC as in the store
    value = (milliseconds & (1 << 48) - 1) << 80 | random.getrandbits(80)
    return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def call(question: Question, models: Sequence[ModelSpec], random: Random) -> list[Attempt]:
    """The attempts of a question, oldest first; the last one answered, unless the only one failed."""
    failed: list[Attempt] = []
    model, started_at = question.model, question.asked_at
    if random.random() < _FAILS:
        failed = [_failed(question, model, random)]
        started_at = failed[0].ended_at + timedelta(seconds=random.uniform(0.4, 2.5))
        others = [other for other in models if other.provider.id != model.provider.id]
        if not others or random.random() < _FAILS * 5:
            return failed
        model = random.choice(others)
    answered = _answered(question, model, started_at, random, parent_id=failed[0].id if failed else None)
    return [*failed, answered]


def _failed(question: Question, model: ModelSpec, random: Random) -> Attempt:
    failure = random.choice(_FAILURES)
    usage = Usage(input_tokens=0, output_tokens=0)
    ended_at = question.asked_at + timedelta(seconds=30 if failure is ErrorClass.STALL else random.uniform(0.2, 3))
    return Attempt(
        **_of(question, model, question.asked_at),
        first_token_at=None,
        ended_at=ended_at,
        usage=usage,
        cost=price_attempt(usage, model.prices, counted_by_us=False, partial=False),
        status=failure.value,
        error_message=f"{model.label} did not answer. Try again in a moment.",
    )


def _answered(
    question: Question, model: ModelSpec, started_at: datetime, random: Random, *, parent_id: str | None
) -> Attempt:
    stopped, kept = random.random() < _STOPPED, parent_id is None and random.random() < _KEPT
    usage = _usage(question, random, stopped=stopped)
    waited = timedelta(milliseconds=4 if kept else random.lognormvariate(6.3, 0.45))
    spoke = timedelta(milliseconds=1 if kept else usage.output_tokens * random.uniform(9, 24))
    attempt = _of(question, model, started_at)
    return Attempt(
        **(attempt if parent_id is None else {**attempt, "id": id_at(started_at, random)}),
        parent_id=parent_id,
        first_token_at=started_at + waited,
        ended_at=started_at + waited + spoke,
        usage=usage,
        cost=price_cached(usage, model.prices)
        if kept
        else price_attempt(usage, model.prices, counted_by_us=False, partial=stopped),
        status="stopped" if stopped and not kept else "ok",
        fallback_of=None if model.id == question.model.id else question.model.id,
        cached=kept,
    )


def _usage(question: Question, random: Random, *, stopped: bool) -> Usage:
    asked, answered = draw_tokens(random, coding=question.use_case == "coding")
    # The history comes along, and providers keep it from the second question on.
    history = question.depth * random.randint(600, 1800)
    kept = history // 128 * 128 if question.depth and random.random() < _FROM_CACHE else 0
    answered = max(1, answered // 3) if stopped else answered
    thinks = question.use_case in {"analysis", "coding"} and random.random() < _THINKS
    return Usage(
        input_tokens=asked + history,
        cached_input_tokens=kept,
        output_tokens=answered + (answered * 2 if thinks else 0),
        reasoning_tokens=answered * 2 if thinks else 0,
    )


def _of(question: Question, model: ModelSpec, started_at: datetime) -> dict[str, Any]:
    return {
        "id": question.turn_id,  # of the first; a second one gets its own
        "turn_id": question.turn_id,
        "user_id": question.user_id,
        "conversation_id": question.conversation_id,
        "source": question.source,
        "use_case": question.use_case,
        "requested_model": question.model.id,
        "served_model": model.id,
        "upstream_model": model.upstream,
        "provider": model.provider.id,
        "parameters": {},
        "started_at": started_at,
        "price_version": model.prices.source if model.prices else None,
    }
