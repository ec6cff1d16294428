"""How long an answer may be for a given amount of money. Pure arithmetic on exact decimals."""

from __future__ import annotations

from decimal import Decimal

from core.catalog.models import Prices
from core.costs.estimate import estimate_cost

_MILLION = Decimal(1_000_000)


def input_cost(prices: Prices, *, input_tokens: int, cache_write_tokens: int = 0, image_tokens: int = 0) -> Decimal:
    """What a call costs before it has said a word: its input, uncached, and its own price."""
    cost = estimate_cost(
        prices,
        input_tokens=input_tokens,
        cache_write_tokens=cache_write_tokens,
        image_tokens=image_tokens,
        output_low=0,
        output_high=0,
    )
    return cost.high_usd or Decimal(0)


def dearest_output(prices: Prices, *, input_tokens: int) -> Decimal:
    """What a million tokens of output cost at most, all of it the dearer of text and reasoning, in dollars."""
    rates = prices.at(input_tokens)
    return max(rates.output, rates.output if rates.reasoning is None else rates.reasoning)


def affordable_output(
    prices: Prices, *, input_tokens: int, most_usd: Decimal, cache_write_tokens: int = 0, image_tokens: int = 0
) -> int | None:
    """How many tokens of output, reasoning included, a call may have that costs at most `most_usd`.

    None when output costs nothing and the input is within the amount: then no length exceeds it. Negative when the
    input alone costs more. No input is taken as cached, and every token of output as the dearer of text and reasoning:
    what the provider bills can only be less. `cache_write_tokens` of the input are written to the provider's cache.
    """

    def most(output_tokens: int) -> Decimal:
        cost = estimate_cost(
            prices,
            input_tokens=input_tokens,
            cache_write_tokens=cache_write_tokens,
            image_tokens=image_tokens,
            output_low=output_tokens,
            output_high=output_tokens,
        )
        return cost.high_usd or Decimal(0)

    dearest = dearest_output(prices, input_tokens=input_tokens)
    left = most_usd - input_cost(
        prices, input_tokens=input_tokens, cache_write_tokens=cache_write_tokens, image_tokens=image_tokens
    )
    if left < 0:
        return -1
    if dearest == 0:
        return None
    tokens = int(left * _MILLION / dearest)
    # A price of a call is only due when one is made, and costs are rounded to a billionth of a dollar.
    while tokens >= 0 and most(tokens) > most_usd:
        tokens -= max(1, int((most(tokens) - most_usd) * _MILLION / dearest))
    return max(-1, tokens)
