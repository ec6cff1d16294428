"""What a call costs. Pure arithmetic on exact decimals: no I/O, no clock, no rounding but the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from core.catalog.models import ModelSpec, Prices
from core.providers.events import Usage

# What a call of a model costs that ended at a moment (naive UTC); None: nobody knows.
PriceAt = Callable[[ModelSpec, datetime], Prices | None]
CostCode = Literal["reported", "computed", "estimated", "partial", "unpriced", "free", "cached"]

_MILLION = Decimal(1_000_000)
# The resolution of the ledger's DECIMAL(18,9): a billionth of a dollar.
_RESOLUTION = Decimal("0.000000001")
# The first figure that DECIMAL(18,9) cannot hold.
_TOO_MUCH = Decimal(1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of one attempt: the figure to show and sum, how it came about, and both figures it may come from.

    `cache_saved_usd` is what caches saved: the provider's, by our prices, or an answer that was kept. None where a
    price is unknown; negative when writing to the cache cost more than reading from it saved.
    """

    cost_usd: Decimal | None
    code: CostCode
    computed_cost_usd: Decimal | None
    reported_cost_usd: Decimal | None
    cache_saved_usd: Decimal | None = None


def own_price(model: ModelSpec, moment: datetime) -> Prices | None:
    """What the model's own entry says."""
    return model.prices and model.prices.on(moment)


def compute_cost(usage: Usage, prices: Prices) -> Decimal:
    """Token buckets times prices, in dollars, rounded half-even to 9 decimals.

    The length of the whole input chooses the tier, which then prices every token of the call. A bucket without a price
    of its own is priced like its parent: cached and written input, images and audio like input, reasoning and audio
    that comes out like output. Details that exceed their total (a provider's bug) take all of it and never make the
    rest negative. A call without a single token was not made and costs nothing. The usage's level of service is not
    looked at: `prices` are those of it (`Prices.served`).
    """
    rates = prices.at(usage.input_tokens)
    total = sum(tokens * price for tokens, price in (*_input(usage, rates), *_output(usage, rates)))
    called = usage.input_tokens + usage.output_tokens > 0
    return _rounded(total / _MILLION + (rates.request or 0) * called)


def cache_saving(usage: Usage, prices: Prices) -> Decimal:
    """What the provider's prompt cache saved on a call, in dollars, rounded half-even to 9 decimals.

    Tokens read from it at the price of input less their own, minus what writing to it cost extra: negative for a call
    that wrote more than it read.
    """
    rates = prices.at(usage.input_tokens)
    return _rounded(sum(tokens * (rates.input - price) for tokens, price in _kept_input(usage, rates)) / _MILLION)


def price_attempt(usage: Usage, prices: Prices | None, *, counted_by_us: bool, partial: bool) -> Cost:
    """The cost of an attempt with its code.

    What the provider reports as billed comes first, then buckets times prices. `counted_by_us` marks token counts that
    are our own, `partial` an answer that was stopped or broke off. No price, also for the level of service alone, is
    "unpriced": never zero, never a guess.
    A reported figure that is no amount of money (NaN, negative, a billion) counts as not reported.
    """
    prices = prices and prices.served(usage.service_tier)
    computed = None if prices is None else compute_cost(usage, prices)
    reported = _money(usage.reported_cost_usd)
    return Cost(
        cost_usd=computed if reported is None else reported,
        code=_code(prices, reported, counted_by_us=counted_by_us, partial=partial),
        computed_cost_usd=computed,
        reported_cost_usd=reported,
        cache_saved_usd=None if prices is None else cache_saving(usage, prices),
    )


def price_cached(usage: Usage, prices: Prices | None) -> Cost:
    """The cost of an answer that was kept: nothing. What it would have cost is both computed and saved."""
    prices = prices and prices.served(usage.service_tier)
    computed = None if prices is None else compute_cost(usage, prices)
    return Cost(
        cost_usd=Decimal(0),
        code="cached",
        computed_cost_usd=computed,
        reported_cost_usd=None,
        cache_saved_usd=computed,
    )


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
    return _rounded(amount)


def _input(usage: Usage, rates: Prices) -> list[tuple[int, Decimal]]:
    """Every token that went in, once, with its price per million.

    Providers count images and audio without saying how much of them came from the cache: what was neither read from it
    nor written to it is the most that can cost the price of images, and what is left of that, the price of audio.
    """
    plain = max(0, usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens)
    images = min(usage.image_tokens, plain)
    audio = min(usage.audio_tokens, plain - images)
    return [
        (plain - images - audio, rates.input),
        (images, _or_parent(rates.image, rates.input)),
        (audio, _or_parent(rates.audio, rates.input)),
        *_kept_input(usage, rates),
    ]


def _output(usage: Usage, rates: Prices) -> list[tuple[int, Decimal]]:
    """Every token that came out, once, with its price per million."""
    plain = max(0, usage.output_tokens - usage.reasoning_tokens)
    audio = min(usage.audio_output_tokens, plain)
    return [
        (plain - audio, rates.output),
        (audio, _or_parent(rates.audio_output, rates.output)),
        (usage.reasoning_tokens, _or_parent(rates.reasoning, rates.output)),
    ]


def _kept_input(usage: Usage, rates: Prices) -> list[tuple[int, Decimal]]:
    """Input read from the provider's cache, written to it, and written for an hour: tokens and price per million."""
    written = _or_parent(rates.cache_write, rates.input)
    for_an_hour = min(usage.cache_write_1h_tokens, usage.cache_write_tokens)
    return [
        (usage.cached_input_tokens, _or_parent(rates.cached_input, rates.input)),
        (usage.cache_write_tokens - for_an_hour, written),
        (for_an_hour, _or_parent(rates.cache_write_1h, written)),
    ]


def _rounded(amount_usd: Decimal) -> Decimal:
    return amount_usd.quantize(_RESOLUTION, rounding=ROUND_HALF_EVEN)


def _or_parent(price: Decimal | None, parent: Decimal) -> Decimal:
    return parent if price is None else price
