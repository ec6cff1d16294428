"""What a call will cost, before it is made. Pure arithmetic on exact decimals, on top of core.costs.pricing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from core.catalog.models import Prices
from core.costs.pricing import compute_cost
from core.providers.events import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRange:
    """What a call costs at least and at most, in dollars, as far as its lengths are known.

    Both are None when nobody knows the price ("unpriced": never zero, never a guess). `free` says that nothing of the
    model costs anything; both are zero then.
    """

    low_usd: Decimal | None
    high_usd: Decimal | None
    free: bool = False

    @property
    def unpriced(self) -> bool:
        """True when nobody knows what the model costs."""
        return self.high_usd is None

    def __add__(self, other: CostRange) -> CostRange:
        """Both calls together; unpriced when either is."""
        return CostRange(
            low_usd=_sum(self.low_usd, other.low_usd),
            high_usd=_sum(self.high_usd, other.high_usd),
            free=self.free and other.free,
        )


UNPRICED = CostRange(low_usd=None, high_usd=None)


def estimate_cost(
    prices: Prices | None,
    *,
    input_tokens: int,
    output_low: int,
    output_high: int,
    cached_input_tokens: int = 0,
    cache_write_tokens: int = 0,
    image_tokens: int = 0,
) -> CostRange:
    """The cost of a call whose answer takes `output_low` to `output_high` tokens, reasoning included.

    `input_tokens` includes the cached, written and image tokens, as in `Usage`. `prices` are those in force at the time
    (`Prices.on`). Where reasoning has a price of its own, the low figure takes all output at the lower of the two and
    the high one at the higher: how much of an answer is reasoning is not known before. Raises ValueError for lengths
    that are negative or the wrong way round.
    """
    if not 0 <= output_low <= output_high or min(input_tokens, cached_input_tokens, cache_write_tokens) < 0:
        raise ValueError(f"no lengths: {input_tokens} in, {output_low} to {output_high} out")
    if prices is None:
        return UNPRICED
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=0,
        cached_input_tokens=cached_input_tokens,
        cache_write_tokens=cache_write_tokens,
        image_tokens=image_tokens,
    )
    ends = (0, output_low), (1, output_high)
    low, high = (_dearest_or_cheapest(usage, prices, tokens=tokens)[end] for end, tokens in ends)
    return CostRange(low_usd=low, high_usd=high, free=prices.free)


def _dearest_or_cheapest(usage: Usage, prices: Prices, *, tokens: int) -> tuple[Decimal, Decimal]:
    """The least and the most that so many tokens of output can cost: all of it said, or all of it reasoning."""
    said = compute_cost(replace(usage, output_tokens=tokens), prices)
    reasoned = compute_cost(replace(usage, output_tokens=tokens, reasoning_tokens=tokens), prices)
    return min(said, reasoned), max(said, reasoned)


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
