"""The limit in dollars over all calls of one turn: what its earlier calls have cost is taken off."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.chat.attempt import usage_of
from core.chat.live_turn import LiveTurn
from core.chat.money_cap import capped, dollars
from core.costs.pricing import PriceAt, price_attempt
from core.errors import TurnRefused
from core.providers.gateway import CompletionRequest


def within_limit(
    completion: CompletionRequest, live: LiveTurn, *, now: datetime, price_at: PriceAt
) -> CompletionRequest:
    """The next call of a turn, limited to what is left. Raises TurnRefused("cap") when too little is."""
    most_usd = live.request.most_usd
    if most_usd is None:
        return completion
    left = most_usd - _spent(live, price_at)
    try:
        # A millionth of a dollar buys no answer: the refusal below is better than a limit that does not hold.
        return capped(completion, most_usd=max(left, Decimal("0.000001")), now=now)
    except TurnRefused as error:
        if not live.steps:
            raise
        raise TurnRefused(
            "cap",
            f"To go on after the tools costs more than is left of your limit of {dollars(most_usd)} for an answer.",
            next_step="Raise the limit under Parameters or Settings, then answer again.",
        ) from error


def _spent(live: LiveTurn, price_at: PriceAt) -> Decimal:
    total = Decimal(0)
    for tried in live.tries:
        usage, ours = usage_of(tried.answer, tried.completion, answered=tried.outcome.complete)
        prices = price_at(tried.completion.model, tried.ended_at)
        total += price_attempt(usage, prices, counted_by_us=ours, partial=False).cost_usd or Decimal(0)
    return total
