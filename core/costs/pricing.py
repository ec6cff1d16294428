"""What a call costs. Pure arithmetic on exact decimals: no I/O, no clock, no rounding but the last."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from core.catalog.models import Prices
from core.providers.events import Usage

CostCode = Literal["reported", "computed", "estimated", "partial", "unpriced", "free", "cached"]

_MILLION = Decimal(1_000_000)
# The resolution of the ledger's DECIMAL(18,9): a billionth of a dollar.
_RESOLUTION = Decimal("0.000000001")
# The first figure that DECIMAL(18,9) cannot hold.
_TOO_MUCH = Decimal(1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of one attempt: the figure to show and sum, how it came about, and both figures it may come from."""

    cost_usd: Decimal | None
    code: CostCode
    computed_cost_usd: Decimal | None
    reported_cost_usd: Decimal | None


def compute_cost(usage: Usage, prices: Prices) -> Decimal:
    """Token buckets times prices, in dollars, rounded half-even to 9 decimals.

    A bucket without a price of its own is priced like its parent: cached and written input like input, reasoning
    like output. Details that exceed their total (a provider's bug) take all of it and never make the rest negative.
    """
    plain_input = max(0, usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens)
    plain_output = max(0, usage.output_tokens - usage.reasoning_tokens)
    total = (
        plain_input * prices.input
        + usage.cached_input_tokens * _or_parent(prices.cached_input, prices.input)
        + usage.cache_write_tokens * _or_parent(prices.cache_write, prices.input)
        + plain_output * prices.output
        + usage.reasoning_tokens * _or_parent(prices.reasoning, prices.output)
    )
    return (total / _MILLION).quantize(_RESOLUTION, rounding=ROUND_HALF_EVEN)


def price_attempt(usage: Usage, prices: Prices | None, *, counted_by_us: bool, partial: bool) -> Cost:
    """The cost of an attempt with its code.

    What the provider reports as billed comes first, then buckets times prices. `counted_by_us` marks token counts that
    are our own, `partial` an answer that was stopped or broke off. No price is "unpriced": never zero, never a guess.
    A reported figure that is no amount of money (NaN, negative, a billion) counts as not reported.
    """
    computed = None if prices is None else compute_cost(usage, prices)
    reported = _money(usage.reported_cost_usd)
    return Cost(
        cost_usd=computed if reported is None else reported,
        code=_code(prices, reported, counted_by_us=counted_by_us, partial=partial),
        computed_cost_usd=computed,
        reported_cost_usd=reported,
    )


def price_cached(usage: Usage, prices: Prices | None) -> Cost:
    """The cost of an answer that was kept: nothing. What it would have cost stands in `computed_cost_usd`."""
    computed = None if prices is None else compute_cost(usage, prices)
    return Cost(cost_usd=Decimal(0), code="cached", computed_cost_usd=computed, reported_cost_usd=None)


def _code(prices: Prices | None, reported: Decimal | None, *, counted_by_us: bool, partial: bool) -> CostCode:
    if reported is not None:
        return "reported"
    if prices is None:
        return "unpriced"
    if prices.free:
        return "free"
    if partial:
        return "partial"
    return "estimated" if counted_by_us else "computed"


def _money(amount: Decimal | None) -> Decimal | None:
    if amount is None or not amount.is_finite() or not 0 <= amount < _TOO_MUCH:
        return None
    return amount.quantize(_RESOLUTION, rounding=ROUND_HALF_EVEN)


def _or_parent(price: Decimal | None, parent: Decimal) -> Decimal:
    return parent if price is None else price
