"""What a number of calls took together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal

from core.costs.reports.statements import NOTHING
from core.store.database import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Calls and what they cost. `unpriced` of them have no known cost: with any of them the sum is "at least"."""

    calls: int = 0
    cost_usd: Decimal = NOTHING
    unpriced: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            calls=self.calls + other.calls,
            cost_usd=self.cost_usd + other.cost_usd,
            unpriced=self.unpriced + other.unpriced,
        )

    def __sub__(self, other: Spent) -> Spent:
        return Spent(
            calls=self.calls - other.calls,
            cost_usd=self.cost_usd - other.cost_usd,
            unpriced=self.unpriced - other.unpriced,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Calls, cost, tokens by bucket and what caches saved.

    `input_tokens` includes cached, written and image tokens, `output_tokens` includes reasoning.
    `prompt_cache_saved_usd` is what the caches of the providers saved, negative where writing cost more than reading
    saved; `kept_answers_saved_usd` is what `kept_answers` answers that were kept here would have cost again.
    """

    calls: int = 0
    cost_usd: Decimal = NOTHING
    unpriced: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    image_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    prompt_cache_saved_usd: Decimal = NOTHING
    kept_answers_saved_usd: Decimal = NOTHING
    kept_answers: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(**{item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)})

    @property
    def spent(self) -> Spent:
        """Calls and cost alone."""
        return Spent(calls=self.calls, cost_usd=self.cost_usd, unpriced=self.unpriced)

    @property
    def tokens(self) -> int:
        """Everything read and written."""
        return self.input_tokens + self.output_tokens

    @property
    def saved_usd(self) -> Decimal:
        """What caches saved altogether."""
        return self.prompt_cache_saved_usd + self.kept_answers_saved_usd


def spent_of(row: Row) -> Spent:
    """Calls and cost of a row."""
    return Spent(calls=row["calls"], cost_usd=row["cost_usd"], unpriced=row["unpriced"])


def totals_of(row: Row) -> Totals:
    """Everything of a row."""
    return Totals(**{item.name: row[item.name] for item in fields(Totals)})


def total(parts: Iterable[Spent]) -> Spent:
    """What several took together."""
    return sum(parts, Spent())
