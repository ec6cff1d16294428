"""What a call costs: exact, never negative, never a guess."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Prices
from core.costs.pricing import Cost, compute_cost, price_attempt, price_cached
from core.providers.events import Usage

TOKENS = st.integers(0, 20_000_000)
PRICE = st.decimals(0, 10_000, places=6, allow_nan=False)
MAYBE_PRICE = st.none() | PRICE
PRICED = Prices(input=Decimal(3), output=Decimal(15))
FREE = Prices(input=Decimal(0), output=Decimal(0))
USAGE = Usage(input_tokens=1000, output_tokens=100)


@st.composite
def usages(draw):
    """Any usage whose details are subsets of its totals."""
    cached, written, plain = draw(TOKENS), draw(TOKENS), draw(TOKENS)
    reasoning, said = draw(TOKENS), draw(TOKENS)
    return Usage(
        input_tokens=cached + written + plain,
        output_tokens=reasoning + said,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )


PRICES = st.builds(
    Prices, input=PRICE, output=PRICE, cached_input=MAYBE_PRICE, cache_write=MAYBE_PRICE, reasoning=MAYBE_PRICE
)


def buckets(usage, prices):
    """Tokens and price of every bucket, each token once."""
    plain_input = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    return [
        (plain_input, prices.input),
        (usage.cached_input_tokens, prices.input if prices.cached_input is None else prices.cached_input),
        (usage.cache_write_tokens, prices.input if prices.cache_write is None else prices.cache_write),
        (usage.output_tokens - usage.reasoning_tokens, prices.output),
        (usage.reasoning_tokens, prices.output if prices.reasoning is None else prices.reasoning),
    ]


@given(usage=usages(), prices=PRICES)
def test_the_cost_is_the_exact_sum_of_the_buckets_rounded_once(usage, prices):
    exact = sum(tokens * Fraction(price) for tokens, price in buckets(usage, prices)) / 1_000_000

    cost = compute_cost(usage, prices)

    assert cost.as_tuple().exponent == -9
    assert cost >= 0
    assert abs(Fraction(cost) - exact) <= Fraction(1, 2 * 10**9)
    billionths = Decimal(exact.numerator) / Decimal(exact.denominator)
    assert cost == billionths.quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)


@given(
    usage=st.builds(
        Usage,
        input_tokens=TOKENS,
        output_tokens=TOKENS,
        cached_input_tokens=TOKENS,
        cache_write_tokens=TOKENS,
        reasoning_tokens=TOKENS,
    ),
    prices=PRICES,
)
def test_the_cost_is_never_negative_even_when_details_exceed_their_totals(usage, prices):
    assert compute_cost(usage, prices) >= 0


@given(usage=usages(), prices=PRICES, more=TOKENS)
def test_more_output_never_costs_less(usage, prices, more):
    longer = Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens + more,
        cached_input_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )
    assert compute_cost(longer, prices) >= compute_cost(usage, prices)


@pytest.mark.parametrize(
    ("usage", "prices", "cost"),
    [
        (USAGE, PRICED, "0.0045"),
        (Usage(input_tokens=0, output_tokens=0), PRICED, "0"),
        (USAGE, FREE, "0"),
        (
            Usage(input_tokens=1000, output_tokens=0, cached_input_tokens=600, cache_write_tokens=300),
            Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"), cache_write=Decimal("3.75")),
            "0.001605",
        ),
        (
            Usage(input_tokens=0, output_tokens=100, reasoning_tokens=60),
            Prices(input=Decimal(3), output=Decimal(15), reasoning=Decimal(60)),
            "0.0042",
        ),
        (Usage(input_tokens=1, output_tokens=0), Prices(input=Decimal("0.0005"), output=Decimal(0)), "0.000000000"),
        (Usage(input_tokens=3, output_tokens=0), Prices(input=Decimal("0.0005"), output=Decimal(0)), "0.000000002"),
    ],
    ids=["plain", "nothing", "free", "cache", "reasoning", "half a billionth to even", "one and a half to even"],
)
def test_costs_worked_by_hand(usage, prices, cost):
    assert compute_cost(usage, prices) == Decimal(cost)


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("counted_by_us", [False, True])
@pytest.mark.parametrize(
    ("prices", "reported", "plain_code"),
    [
        (PRICED, Decimal("0.01"), "reported"),
        (None, Decimal("0.01"), "reported"),
        (FREE, Decimal(0), "reported"),
        (None, None, "unpriced"),
        (FREE, None, "free"),
        (PRICED, None, None),
    ],
)
def test_the_code_says_where_the_figure_comes_from(prices, reported, plain_code, counted_by_us, partial):
    usage = Usage(input_tokens=1000, output_tokens=100, reported_cost_usd=reported)
    expected = plain_code or ("partial" if partial else "estimated" if counted_by_us else "computed")

    cost = price_attempt(usage, prices, counted_by_us=counted_by_us, partial=partial)

    assert cost.code == expected


@pytest.mark.parametrize(
    ("prices", "reported", "shown", "computed"),
    [
        (PRICED, "0.01", "0.01", "0.0045"),
        (PRICED, None, "0.0045", "0.0045"),
        (None, "0.01", "0.01", None),
        (None, None, None, None),
        (PRICED, "0.12345678949", "0.123456789", "0.0045"),
    ],
)
def test_what_the_provider_bills_is_shown_and_both_figures_are_kept(prices, reported, shown, computed):
    given_cost = None if reported is None else Decimal(reported)
    usage = Usage(input_tokens=1000, output_tokens=100, reported_cost_usd=given_cost)

    cost = price_attempt(usage, prices, counted_by_us=False, partial=False)

    assert cost.cost_usd == (None if shown is None else Decimal(shown))
    assert cost.computed_cost_usd == (None if computed is None else Decimal(computed))
    assert (cost.reported_cost_usd is None) == (reported is None)


@pytest.mark.parametrize("nonsense", ["NaN", "sNaN", "Infinity", "-Infinity", "-0.01", "1000000000", "1e30"])
def test_a_reported_figure_that_is_no_amount_of_money_counts_as_not_reported(nonsense):
    usage = Usage(input_tokens=1000, output_tokens=100, reported_cost_usd=Decimal(nonsense))

    cost = price_attempt(usage, PRICED, counted_by_us=False, partial=False)

    assert (cost.cost_usd, cost.code, cost.reported_cost_usd) == (Decimal("0.0045"), "computed", None)


@pytest.mark.parametrize(("prices", "computed"), [(PRICED, Decimal("0.0045")), (None, None)])
def test_a_kept_answer_costs_nothing_and_says_what_it_would_have_cost(prices, computed):
    cost = price_cached(USAGE, prices)

    assert cost == Cost(cost_usd=Decimal(0), code="cached", computed_cost_usd=computed, reported_cost_usd=None)
