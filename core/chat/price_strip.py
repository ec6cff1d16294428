"""What the next message costs on several models, before it is sent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from core.catalog.choice import usual_price
from core.catalog.models import Capability, ModelSpec, Prices
from core.chat.history_size import HistorySize
from core.costs.estimate import CostRange, estimate_cost
from core.costs.output_lengths import OutputLength

MOST_OTHERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The cost of a message whose input is longer than `above_tokens`: without a draft, and what each token adds.

    `warm` counts with what the provider may have in its cache, `cold` without.
    """

    above_tokens: int
    warm: CostRange
    cold: CostRange
    per_token_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What the next message costs on one model, by the length of its input: `steps` in rising order.

    Empty `steps`: unpriced.
    """

    model: ModelSpec
    size: HistorySize
    length: OutputLength
    steps: Sequence[Step]

    def cost(self, draft_tokens: int, *, now: datetime) -> CostRange:
        """The range for a draft of so many tokens, files included; unpriced without steps."""
        if not self.steps:
            return CostRange(low_usd=None, high_usd=None)
        tokens = self.size.tokens + draft_tokens
        step = [step for step in self.steps if step.above_tokens == 0 or tokens > step.above_tokens][-1]
        base = step.warm if self.size.cached(now) != (0, 0) else step.cold
        more = step.per_token_usd * draft_tokens
        low, high = base.low_usd or Decimal(0), base.high_usd or Decimal(0)
        return replace(base, low_usd=low + more, high_usd=high + more)


def quote(model: ModelSpec, size: HistorySize, length: OutputLength, *, now: datetime) -> Quote:
    """The next message on a model, at the prices in force at `now` (naive UTC)."""
    prices = None if model.prices is None else model.prices.on(now)
    if prices is None:
        return Quote(model=model, size=size, length=length, steps=())
    flat = [(0, replace(prices, tiers=())), *((tier.above_tokens, tier.prices) for tier in prices.tiers)]
    steps = [_step(above, rates, size, length) for above, rates in flat]
    return Quote(model=model, size=size, length=length, steps=steps)


def others_to_show(
    current: str,
    models: Mapping[str, ModelSpec],
    *,
    favourites: Sequence[str],
    use_case: str | None,
    usable: Callable[[ModelSpec], bool],
    hidden: Collection[str] = (),
    images: bool = False,
    tokens: int = 0,
) -> list[ModelSpec]:
    """Up to four other models to price: favourites, then those for the use case, then the cheapest.

    Only models that can be asked now, see images where there are some and hold so many tokens. The order depends on
    nothing that changes while somebody types or chooses: models keep their places.
    """

    def fits(model: ModelSpec) -> bool:
        sees = not images or Capability.VISION in model.capabilities
        return sees and (model.context_tokens is None or tokens < model.context_tokens) and usable(model)

    wanted = use_case or next(iter(models[current].use_cases), None) if current in models else use_case
    listed = sorted((model for name, model in models.items() if name not in hidden and name != current), key=_price)
    first = [models[name] for name in favourites if name in models and name != current]
    second = [model for model in listed if wanted in model.use_cases]
    found: dict[str, ModelSpec] = {}
    for model in (*first, *second, *listed):
        if len(found) == MOST_OTHERS:
            break
        if model.id not in found and fits(model):
            found[model.id] = model
    return list(found.values())


def _price(model: ModelSpec) -> tuple[bool, bool, Decimal]:
    return model.prices is None, model.provider.kind == "local", usual_price(model.prices)


def _step(above_tokens: int, rates: Prices, size: HistorySize, length: OutputLength) -> Step:
    def at(low_cached: int, high_cached: int) -> CostRange:
        ends = [
            estimate_cost(
                rates,
                input_tokens=size.tokens,
                cached_input_tokens=min(cached, size.tokens),
                output_low=length.low,
                output_high=length.high,
                image_tokens=size.image_tokens,
            )
            for cached in (low_cached, high_cached)
        ]
        lows = [end.low_usd for end in ends if end.low_usd is not None]
        highs = [end.high_usd for end in ends if end.high_usd is not None]
        return CostRange(low_usd=min(lows), high_usd=max(highs), free=rates.free)

    return Step(
        above_tokens=above_tokens,
        warm=at(size.cached_at_best, size.cached_surely),
        cold=at(0, 0),
        per_token_usd=rates.input / 1_000_000,
    )
