"""What a switch of the model costs in the middle of a conversation, before anything is sent. Pure.

A provider reads what it has kept of a prompt for a tenth of the price or so. Another model has kept nothing: it reads
the whole history once at full price, and from then on it may be the cheaper one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, islice

from core.catalog.models import Capability, ModelSpec, Prices
from core.chat.conversation import Message
from core.chat.history_size import CACHE_LEAST_TOKENS, HistorySize, caches_prompts
from core.costs.estimate import UNPRICED, CostRange, estimate_cost
from core.costs.output_lengths import OutputLength

# PRODUCT.md, "Switch pre-flight".
SPEAKS_ABOVE_TOKENS = 30_000
SPEAKS_ABOVE_USD = Decimal("0.01")
CONFIRMS_ABOVE_TOKENS = 100_000
# A conversation hardly goes on for longer; what pays off later does not pay off.
MOST_TURNS = 100
# LMSYS-Chat-1M (arXiv 2309.11998): a question has 70 tokens in the mean.
_QUESTION_TOKENS = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What the new model does not get as the old one got it: counts of images, tool calls and pieces of reasoning."""

    images: int = 0
    tool_calls: int = 0
    reasoning: int = 0

    @property
    def anything(self) -> bool:
        """True when something is dropped."""
        return bool(self.images or self.tool_calls or self.reasoning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two models: how long the history is for it, and how long its answers are."""

    model: ModelSpec
    size: HistorySize
    length: OutputLength


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """A switch in figures. `next_*` is the next answer, `later_*` the one after it, on the old and the new model.

    `cache_lost` counts the tokens that the old model's provider has kept, as far as we know. `breaks_even` is the one
    from which on the new model is the cheaper one in sum: 1 is the next; None is never, or nobody knows a price.
    """

    history_tokens: int
    next_old: CostRange
    next_new: CostRange
    later_old: CostRange
    later_new: CostRange
    cache_lost: int
    dropped: Dropped
    breaks_even: int | None

    @property
    def difference_usd(self) -> Decimal | None:
        """What the next answer costs more on the new model, in the middle of both ranges; None when unpriced."""
        old, new = middle(self.next_old), middle(self.next_new)
        return None if old is None or new is None else new - old

    @property
    def speaks(self) -> bool:
        """Whether there is anything worth saying."""
        differs = self.difference_usd is not None and abs(self.difference_usd) > SPEAKS_ABOVE_USD
        return self.history_tokens > SPEAKS_ABOVE_TOKENS or differs or self.dropped.anything

    @property
    def confirms(self) -> bool:
        """Whether the person is asked first."""
        return self.history_tokens > CONFIRMS_ABOVE_TOKENS


def preflight(history: Sequence[Message], *, old: Side, new: Side, now: datetime) -> Preflight:
    """What switching from one model to the other costs, at the prices in force at `now` (naive UTC).

    The message that is being typed is not in it. Later turns follow while the caches last.
    """
    old_costs, new_costs = (list(islice(_costs(side, now), MOST_TURNS)) for side in (old, new))
    return Preflight(
        history_tokens=new.size.tokens,
        next_old=old_costs[0],
        next_new=new_costs[0],
        later_old=old_costs[1],
        later_new=new_costs[1],
        cache_lost=old.size.cached(now)[1],
        dropped=dropped(history, old=old.model, new=new.model),
        breaks_even=breaks_even(old_costs, new_costs),
    )


def breaks_even(old: Sequence[CostRange], new: Sequence[CostRange]) -> int | None:
    """The first answer after which the new model has cost less or as much in sum, and then stays so to the end."""
    pairs = [(middle(one), middle(other)) for one, other in zip(old, new, strict=True)]
    saved = [one - other for one, other in pairs if one is not None and other is not None]
    if len(saved) < len(pairs):
        return None
    sums = list(accumulate(saved))
    last_dearer = max((place for place, total in enumerate(sums) if total < 0), default=-1)
    return None if last_dearer == len(sums) - 1 else last_dearer + 2


def dropped(history: Sequence[Message], *, old: ModelSpec, new: ModelSpec) -> Dropped:
    """What `old` reads of a history and `new` does not, by the rules of core.chat.portability."""
    steps = [(message, step) for message in history for step in message.steps]
    loses_tools = Capability.TOOLS in old.capabilities and Capability.TOOLS not in new.capabilities
    loses_images = Capability.VISION in old.capabilities and Capability.VISION not in new.capabilities
    images = sum(attached.kind == "image" for message in history for attached in message.attachments)
    return Dropped(
        images=images if loses_images else 0,
        tool_calls=sum(len(step.uses) for _, step in steps) if loses_tools else 0,
        # Only the model that signed it reads it again.
        reasoning=sum(message.served_model == old.id and step.reasoning is not None for message, step in steps),
    )


def middle(cost: CostRange) -> Decimal | None:
    """The middle of a range; None when unpriced."""
    return None if cost.low_usd is None or cost.high_usd is None else (cost.low_usd + cost.high_usd) / 2


def _costs(side: Side, now: datetime) -> Iterator[CostRange]:
    """What each answer to come costs on a model, the next one first."""
    prices = None if side.model.prices is None else side.model.prices.on(now)
    tokens, cached = side.size.tokens, side.size.cached(now)[1]
    grows = (side.length.low + side.length.high) // 2 + _QUESTION_TOKENS
    while True:
        yield UNPRICED if prices is None else _cost(side, prices, tokens=tokens, cached=min(cached, tokens))
        cached = tokens if caches_prompts(side.model) and tokens >= CACHE_LEAST_TOKENS else 0
        tokens += grows


def _cost(side: Side, prices: Prices, *, tokens: int, cached: int) -> CostRange:
    writes = prices.cache_write is not None and Capability.PROMPT_CACHE in side.model.capabilities
    return estimate_cost(
        prices,
        input_tokens=tokens,
        cached_input_tokens=cached,
        cache_write_tokens=tokens - cached if writes else 0,
        image_tokens=side.size.image_tokens,
        output_low=side.length.low,
        output_high=side.length.high,
    )
