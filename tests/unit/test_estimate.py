"""What a call will cost: the arithmetic of pricing at both ends of an answer's length."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Prices
from core.costs.estimate import UNPRICED, CostRange, estimate_cost
from core.costs.pricing import compute_cost
from core.providers.events import Usage

TOKENS = st.integers(0, 2_000_000)
PRICE = st.decimals(0, 1_000, places=6, allow_nan=False)
MAYBE = st.none() | PRICE
PRICES = st.builds(Prices, input=PRICE, output=PRICE, cached_input=MAYBE, reasoning=MAYBE, request=MAYBE)
PRICED = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"))


@st.composite
def calls(draw):
    """Any input with its cached part, and an answer's least and most tokens with one length between them."""
    cached, plain = draw(TOKENS), draw(TOKENS)
    low, between, high = sorted((draw(TOKENS), draw(TOKENS), draw(TOKENS)))
    return cached + plain, cached, low, between, high


@given(calls(), PRICES, st.data())
def test_every_answer_between_the_two_lengths_costs_between_the_two_figures(call, prices, data) -> None:
    tokens_in, cached, low, between, high = call
    reasoning = data.draw(st.integers(0, between))
    usage = Usage(input_tokens=tokens_in, cached_input_tokens=cached, output_tokens=between, reasoning_tokens=reasoning)

    estimate = estimate_cost(
        prices, input_tokens=tokens_in, cached_input_tokens=cached, output_low=low, output_high=high
    )

    if tokens_in + low > 0:
        assert estimate.low_usd <= compute_cost(usage, prices) <= estimate.high_usd
    else:
        assert estimate.low_usd <= estimate.high_usd


@given(calls())
def test_without_a_price_nothing_is_guessed(call) -> None:
    tokens_in, cached, low, _between, high = call

    estimate = estimate_cost(None, input_tokens=tokens_in, cached_input_tokens=cached, output_low=low, output_high=high)

    assert (estimate, estimate.unpriced, estimate.free) == (UNPRICED, True, False)


def test_cached_input_costs_its_own_price_and_output_makes_the_range() -> None:
    estimate = estimate_cost(
        PRICED, input_tokens=1_000_000, cached_input_tokens=900_000, output_low=100_000, output_high=200_000
    )

    assert estimate == CostRange(low_usd=Decimal("2.07"), high_usd=Decimal("3.57"))


def test_a_long_input_is_priced_by_its_tier() -> None:
    tiered = PRICED.with_tier(200_000, input=Decimal(6), output=Decimal(30))
    lengths = {"output_low": 0, "output_high": 1000}

    assert estimate_cost(tiered, input_tokens=200_000, **lengths).high_usd == Decimal("0.615")
    assert estimate_cost(tiered, input_tokens=200_001, **lengths).high_usd == Decimal("1.230006")


def test_a_request_costs_its_own_price_once() -> None:
    search = Prices(input=Decimal(0), output=Decimal(0), request=Decimal("0.01"))

    estimate = estimate_cost(search, input_tokens=10, output_low=0, output_high=500)

    assert estimate == CostRange(low_usd=Decimal("0.01"), high_usd=Decimal("0.01"))


def test_free_is_zero_and_says_so() -> None:
    free = Prices(input=Decimal(0), output=Decimal(0))

    estimate = estimate_cost(free, input_tokens=1000, output_low=1, output_high=500)

    assert estimate == CostRange(low_usd=Decimal(0), high_usd=Decimal(0), free=True)


def test_reasoning_with_a_price_of_its_own_widens_the_range() -> None:
    thinker = Prices(input=Decimal(0), output=Decimal(1), reasoning=Decimal(4))

    estimate = estimate_cost(thinker, input_tokens=0, output_low=1_000_000, output_high=1_000_000)

    assert (estimate.low_usd, estimate.high_usd) == (Decimal(1), Decimal(4))


def test_two_calls_add_up_and_one_unpriced_leaves_the_sum_unpriced() -> None:
    one = CostRange(low_usd=Decimal(1), high_usd=Decimal(2))
    free = CostRange(low_usd=Decimal(0), high_usd=Decimal(0), free=True)

    assert one + free == one
    assert (free + free).free
    assert one + UNPRICED == UNPRICED


@pytest.mark.parametrize("lengths", [(-1, 5, 9), (1, 9, 5), (1, -5, 5)])
def test_lengths_that_cannot_be_are_refused(lengths: tuple[int, int, int]) -> None:
    tokens_in, low, high = lengths

    with pytest.raises(ValueError, match="no lengths"):
        estimate_cost(PRICED, input_tokens=tokens_in, output_low=low, output_high=high)
