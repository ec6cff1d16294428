"""What an answer took, from the ledger rows of its turn as they were written. Pure.

The same sums as in `figures_of_conversation` (queries/ledger.sql): who has the rows in hand need not ask the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from core.chat.conversation import AnswerFigures
from core.costs.ledger import Attempt


def figures_of(attempts: Sequence[Attempt]) -> AnswerFigures:
    """The figures of a turn's rows, oldest first, at least one.

    Every attempt counts, because every attempt was paid for; the times are those of the last one, which answered. One
    that called tools on the way began when it first answered.
    """
    last = attempts[-1]
    started_at = min((row.started_at for row in attempts if row.status == "ok"), default=last.started_at)
    cost_usd = _sum(row.cost.cost_usd for row in attempts)
    return AnswerFigures(
        input_tokens=sum(row.usage.input_tokens for row in attempts),
        cached_input_tokens=sum(row.usage.cached_input_tokens for row in attempts),
        output_tokens=sum(row.usage.output_tokens for row in attempts),
        reasoning_tokens=sum(row.usage.reasoning_tokens for row in attempts),
        cost_usd=cost_usd,
        cost_code="unpriced" if cost_usd is None else last.cost.code,
        cache_saved_usd=_sum(row.cost.cache_saved_usd for row in attempts),
        first_token_ms=None if last.first_token_at is None else _ms(started_at, last.first_token_at),
        duration_ms=_ms(started_at, max(row.ended_at for row in attempts)),
        tokens_per_second=_speed(last, max(row.ended_at for row in attempts)),
    )


def _speed(last: Attempt, ended_at: datetime) -> float | None:
    writing_s = 0.0 if last.first_token_at is None else (ended_at - last.first_token_at).total_seconds()
    return last.usage.output_tokens / writing_s if writing_s > 0 else None


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = list(amounts)
    return None if None in known else sum((amount for amount in known if amount is not None), Decimal(0))


def _ms(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() * 1000
