"""Whether the budgets and rate limits let a turn's call pass: what every call asks before it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from core.catalog.models import Capability, ModelSpec, Prices
from core.chat.admission import TurnRequest
from core.chat.message_tokens import counted_tokens, estimate_image_tokens_of, quick_tokens
from core.clock import Clock, utc_now
from core.costs.budgets import Budgets
from core.costs.call import Call, Kind
from core.costs.cap import dearest_output
from core.costs.estimate import CostRange, estimate_cost
from core.costs.ledger import Attempt
from core.costs.output_lengths import OutputLength, OutputLengths
from core.costs.pricing import PriceAt, own_price
from core.costs.refusals import RefusalLog, next_step
from core.costs.token_budgets import TokenBudgets
from core.errors import LimitReached
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.parts import ImagePart
from core.providers.routing import capabilities_needed

_MILLION = Decimal(1_000_000)


class Limits(Protocol):
    """What the engine asks of budgets and rate limits. Safe to use from any thread."""

    def admit(
        self, turn_id: str, request: TurnRequest, completion: CompletionRequest, *, kind: Kind = "first"
    ) -> int | None:
        """Let a call pass and hold its estimate. Raises LimitReached; nothing is held then that was not before.

        Returns how many tokens of output that pays for, None where it does not matter; for more it has to be `cover`ed.
        """

    def cover(self, request: TurnRequest, completion: CompletionRequest, *, turn_id: str, output_tokens: int) -> int:
        """Have a turn's call hold what so much output costs; how many tokens of it are paid for, that many at most.

        Raises LimitReached when it needs more and nothing is left. It may wait for other replicas: not for an event
        loop.
        """

    def fits(self, turn_id: str, request: TurnRequest, completion: CompletionRequest) -> bool:
        """Whether the budgets would let a call pass in place of the turn's last one. Holds nothing."""

    def settle(self, turn_id: str, attempts: Sequence[Attempt]) -> None:
        """The turn's rows are in the ledger."""

    def release(self, turn_id: str) -> None:
        """The turn was never made."""


class Unlimited:
    """Limits that limit nothing: for an engine without budgets."""

    def admit(
        self,
        turn_id: str,  # noqa: ARG002 - whoever it is
        request: TurnRequest,  # noqa: ARG002
        completion: CompletionRequest,  # noqa: ARG002
        *,
        kind: Kind = "first",  # noqa: ARG002
    ) -> int | None:
        """Let it pass."""
        return None

    def cover(
        self,
        request: TurnRequest,  # noqa: ARG002 - whoever it is
        completion: CompletionRequest,  # noqa: ARG002
        *,
        turn_id: str,  # noqa: ARG002
        output_tokens: int,
    ) -> int:
        """Let it go on."""
        return output_tokens

    def fits(self, turn_id: str, request: TurnRequest, completion: CompletionRequest) -> bool:  # noqa: ARG002 - all fit
        """It does."""
        return True

    def settle(self, turn_id: str, attempts: Sequence[Attempt]) -> None:
        """Nothing was held."""

    def release(self, turn_id: str) -> None:
        """Nothing was held."""


class Allowance:
    """The limits of an installation. Estimates are the high end of `estimate_cost`, for measured lengths of answers."""

    def __init__(
        self,
        budgets: Budgets,
        *,
        lengths: Callable[[], OutputLengths],
        candidates: Callable[[str], Mapping[str, ModelSpec]] = lambda _user_id: {},
        refusals: RefusalLog | None = None,
        price_at: PriceAt = own_price,
        clock: Clock = utc_now,
        hear: Callable[[Sequence[Attempt]], None] = lambda _attempts: None,
        tokens: TokenBudgets | None = None,
    ) -> None:
        """`candidates` are the models that a person may use and that can be asked now, to name one that still fits.

        `hear` is told the rows of every turn that has ended. `tokens` None: those of the API have no budgets.
        """
        self._budgets = budgets
        self._lengths = lengths
        self._candidates = candidates
        self._refusals = refusals
        self._price_at = price_at
        self._clock = clock
        self._hear = hear
        self._tokens = tokens

    def admit(
        self, turn_id: str, request: TurnRequest, completion: CompletionRequest, *, kind: Kind = "first"
    ) -> int | None:
        """Let a call pass and hold its estimate.

        The tokens are counted only when a quick figure that is rather too high does not fit. Raises LimitReached
        naming, for a spent budget, a model that would still answer.
        """
        try:
            return self._enter(self._call(turn_id, request, completion, quick_tokens(completion)), kind)
        except LimitReached:
            return self._admit_counted(turn_id, request, completion, kind)

    def cover(self, request: TurnRequest, completion: CompletionRequest, *, turn_id: str, output_tokens: int) -> int:
        """Have a turn's call hold what so much output costs; how many tokens of it are paid for, that many at most.

        The input is counted by now: where a quick figure held too much for it, the rest goes to the output. Raises
        LimitReached when it needs more and nothing is left.
        """
        prices, input_tokens = self._price_at(completion.model, self._clock()), counted_tokens(completion)
        cost = _estimate(prices, completion, input_tokens, low=output_tokens, high=output_tokens)
        short_usd = (cost.high_usd or Decimal(0)) - self._budgets.counters.spending.last_held_usd(turn_id)
        if short_usd > 0:
            short_usd -= self._grow(turn_id, request, short_usd)
        rate = Decimal(0) if prices is None else dearest_output(prices, input_tokens=input_tokens)
        return output_tokens - (math.ceil(short_usd * _MILLION / rate) if short_usd > 0 and rate else 0)

    def _grow(self, turn_id: str, request: TurnRequest, most_usd: Decimal) -> Decimal:
        if self._tokens is not None and request.token_budget is not None:
            most_usd = self._tokens.grow(turn_id, request.token_budget, most_usd=most_usd)
        return self._budgets.grow(turn_id, request.user_id, most_usd=most_usd)

    def fits(self, turn_id: str, request: TurnRequest, completion: CompletionRequest) -> bool:
        """Whether the budgets would let a call pass in place of the turn's last one. Holds nothing."""
        call = self._call(turn_id, request, completion, counted_tokens(completion))
        left_usd = self._left_of_token(request, besides=turn_id)
        too_dear = left_usd is not None and call.cost.high_usd is not None and call.cost.high_usd > left_usd
        return self._budgets.fits(call) and (call.cost.free or not too_dear)

    def settle(self, turn_id: str, attempts: Sequence[Attempt]) -> None:
        """The turn's rows are in the ledger: what they cost takes the place of what the turn held."""
        self._budgets.settle(turn_id, attempts)
        if self._tokens is not None:
            self._tokens.settle(turn_id, attempts)
        self._hear(attempts)

    def release(self, turn_id: str) -> None:
        """The turn was never made."""
        self._budgets.release(turn_id)
        if self._tokens is not None:
            self._tokens.release(turn_id)

    def _enter(self, call: Call, kind: Kind) -> int | None:
        metered = self._tokens is not None and self._tokens.admit(call, kind=kind)
        try:
            metered |= self._budgets.admit(call, kind=kind)
        except LimitReached:
            # Of a later call of a turn the hold goes with its last one.
            if self._tokens is not None and kind == "first":
                self._tokens.release(call.turn_id)
            raise
        return call.output_tokens if metered else None

    def _left_of_token(self, request: TurnRequest, *, besides: str | None = None) -> Decimal | None:
        return None if self._tokens is None else self._tokens.left_usd(request.token_budget, besides=besides)

    def _admit_counted(
        self, turn_id: str, request: TurnRequest, completion: CompletionRequest, kind: Kind
    ) -> int | None:
        call = self._call(turn_id, request, completion, counted_tokens(completion))
        try:
            return self._enter(call, kind)
        except LimitReached as refused:
            if call.background:
                raise
            if self._refusals is not None:
                self._refusals.keep(
                    refused, user_id=request.user_id, model_id=completion.model.id, source=request.source
                )
            raise self._with_a_way_out(refused, request, completion) from refused

    def _with_a_way_out(
        self, refused: LimitReached, request: TurnRequest, completion: CompletionRequest
    ) -> LimitReached:
        instead = self._instead(request, completion) if refused.code == "budget" else None
        if instead is None:
            return refused
        return LimitReached(
            refused.code,
            refused.user_message,
            limit_id=refused.limit_id,
            next_step=next_step(instead.label),
            instead=instead.id,
        )

    def _instead(self, request: TurnRequest, completion: CompletionRequest) -> ModelSpec | None:
        """The model to take: a fallback of the chosen one, else the dearest that still fits."""
        both = (self._budgets.left_usd(request.user_id), self._left_of_token(request))
        left_usd = min((left for left in both if left is not None), default=None)
        fitting: dict[str, Decimal] = {}
        offered = self._candidates(request.user_id)
        for name, model in offered.items():
            cost = self._cost_on(model, request, completion)
            if name == completion.model.id or cost.high_usd is None or not _can(model, completion):
                continue
            if cost.free or left_usd is None or cost.high_usd <= left_usd:
                fitting[name] = cost.high_usd
        named = completion.model.fallbacks
        best = max(fitting, key=lambda name: (name in named, fitting[name]), default=None)
        return None if best is None else offered[best]

    def _cost_on(self, model: ModelSpec, request: TurnRequest, completion: CompletionRequest) -> CostRange:
        there = replace(completion, model=model)
        return self._cost(there, request, counted_tokens(there), self._clock())[0]

    def _call(self, turn_id: str, request: TurnRequest, completion: CompletionRequest, input_tokens: int) -> Call:
        cost, length = self._cost(completion, request, input_tokens, self._clock())
        return Call(
            turn_id=turn_id,
            user_id=request.user_id,
            model_id=completion.model.id,
            model_label=completion.model.label,
            cost=cost,
            tokens=input_tokens + length.high,
            output_tokens=length.high,
            source=request.source,
            token=request.token_budget,
        )

    def _cost(
        self, completion: CompletionRequest, request: TurnRequest, input_tokens: int, now: datetime
    ) -> tuple[CostRange, OutputLength]:
        model = completion.model
        length = self._lengths().of(model.id, request.use_case).within(model.max_output_tokens)
        most = completion.parameters.get("max_tokens")
        length = length.within(most) if isinstance(most, int) and most > 0 else length
        prices = self._price_at(model, now)
        return _estimate(prices, completion, input_tokens, low=length.low, high=length.high), length


def _estimate(
    prices: Prices | None, completion: CompletionRequest, input_tokens: int, *, low: int, high: int
) -> CostRange:
    images = min(input_tokens, estimate_image_tokens_of(completion.messages, model=completion.model))
    return estimate_cost(prices, input_tokens=input_tokens, output_low=low, output_high=high, image_tokens=images)


def _can(model: ModelSpec, completion: CompletionRequest) -> bool:
    """Whether another model could answer the same messages."""
    if _has_images(completion.messages) and Capability.VISION not in model.capabilities:
        return False
    if completion.tools and Capability.TOOLS not in model.capabilities:
        return False
    if not capabilities_needed({**completion.parameters, **completion.wire_fields}) <= model.capabilities:
        return False
    return model.context_tokens is None or quick_tokens(completion) < model.context_tokens


def _has_images(messages: Sequence[ChatMessage]) -> bool:
    return any(isinstance(part, ImagePart) for message in messages for part in message.parts)
