"""What a call costs: exact, never negative, never a guess."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Prices, ServicePrices
from core.costs.pricing import Cost, cache_saving, compute_cost, price_attempt, price_cached
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
    cached, written, for_an_hour, plain = draw(TOKENS), draw(TOKENS), draw(TOKENS), draw(TOKENS)
    images, heard = draw(TOKENS), draw(TOKENS)
    reasoning, said, spoken = draw(TOKENS), draw(TOKENS), draw(TOKENS)
    return Usage(
        input_tokens=cached + written + for_an_hour + plain + images + heard,
        output_tokens=reasoning + said + spoken,
        image_tokens=images,
        audio_tokens=heard,
        audio_output_tokens=spoken,
        cached_input_tokens=cached,
        cache_write_tokens=written + for_an_hour,
        cache_write_1h_tokens=for_an_hour,
        reasoning_tokens=reasoning,
    )


BUCKETS = {
    "input": PRICE,
    "output": PRICE,
    "cached_input": MAYBE_PRICE,
    "cache_write": MAYBE_PRICE,
    "cache_write_1h": MAYBE_PRICE,
    "reasoning": MAYBE_PRICE,
    "image": MAYBE_PRICE,
    "audio": MAYBE_PRICE,
    "audio_output": MAYBE_PRICE,
}
FLAT = st.builds(Prices, **BUCKETS, request=MAYBE_PRICE)


@st.composite
def tiered(draw):
    """Prices with any number of tiers, in each of which any bucket may cost something else."""
    prices = draw(FLAT)
    for above_tokens in sorted(draw(st.sets(st.integers(1, 60_000_000), max_size=3))):
        prices = prices.with_tier(above_tokens, **draw(st.fixed_dictionaries({}, optional=BUCKETS)))
    return prices


PRICES = FLAT | tiered()


def rates_of(usage, prices):
    """The prices of the highest tier whose beginning the input exceeds."""
    reached = [tier.prices for tier in prices.tiers if tier.above_tokens < usage.input_tokens]
    return reached[-1] if reached else prices


def kept_input(usage, rates):
    """Tokens and price of what the provider's cache is about."""
    written = rates.input if rates.cache_write is None else rates.cache_write
    return [
        (usage.cached_input_tokens, rates.input if rates.cached_input is None else rates.cached_input),
        (usage.cache_write_tokens - usage.cache_write_1h_tokens, written),
        (usage.cache_write_1h_tokens, written if rates.cache_write_1h is None else rates.cache_write_1h),
    ]


def buckets(usage, rates):
    """Tokens and price of every bucket, each token once."""
    plain_input = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    return [
        (plain_input - usage.image_tokens - usage.audio_tokens, rates.input),
        (usage.image_tokens, rates.input if rates.image is None else rates.image),
        (usage.audio_tokens, rates.input if rates.audio is None else rates.audio),
        *kept_input(usage, rates),
        (usage.output_tokens - usage.reasoning_tokens - usage.audio_output_tokens, rates.output),
        (usage.audio_output_tokens, rates.output if rates.audio_output is None else rates.audio_output),
        (usage.reasoning_tokens, rates.output if rates.reasoning is None else rates.reasoning),
    ]


@given(usage=usages(), prices=PRICES)
def test_the_cost_is_the_exact_sum_of_the_buckets_rounded_once(usage, prices):
    rates = rates_of(usage, prices)
    exact = sum(tokens * Fraction(price) for tokens, price in buckets(usage, rates)) / 1_000_000
    if usage.input_tokens + usage.output_tokens:
        exact += Fraction(rates.request or 0)

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
        cache_write_1h_tokens=TOKENS,
        reasoning_tokens=TOKENS,
        image_tokens=TOKENS,
        audio_tokens=TOKENS,
        audio_output_tokens=TOKENS,
    ),
    prices=PRICES,
)
def test_the_cost_is_never_negative_even_when_details_exceed_their_totals(usage, prices):
    assert compute_cost(usage, prices) >= 0


@given(usage=usages(), prices=PRICES, more=TOKENS)
def test_more_output_never_costs_less(usage, prices, more):
    longer = replace(usage, output_tokens=usage.output_tokens + more)
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


LONG = PRICED.with_tier(200_000, input=Decimal(6), output=Decimal("22.5"), cached_input=Decimal("0.6"))


@pytest.mark.parametrize(
    ("input_tokens", "cached", "cost"),
    [
        (200_000, 0, "0.6015"),
        (200_001, 0, "1.202256"),
        (200_001, 200_000, "0.122256"),
        (400_000, 100_000, "1.86225"),
    ],
    ids=["at the border", "one token more", "cached input counts", "far above"],
)
def test_a_tier_prices_the_whole_call_once_the_input_is_longer(input_tokens, cached, cost):
    usage = Usage(input_tokens=input_tokens, output_tokens=100, cached_input_tokens=cached)

    assert compute_cost(usage, LONG) == Decimal(cost)


def test_a_tier_takes_what_it_leaves_out_from_the_one_below():
    prices = LONG.with_tier(500_000, output=Decimal(30))

    top = prices.at(500_001)
    assert (top.input, top.output, top.cached_input, top.tiers) == (Decimal(6), Decimal(30), Decimal("0.6"), ())
    assert prices.at(500_000) == LONG.at(200_001)
    assert prices.at(0) is prices


@pytest.mark.parametrize("above_tokens", [0, -1, 200_000, 100])
def test_a_tier_begins_above_the_one_below(above_tokens):
    with pytest.raises(ValueError, match="above 200000"):
        LONG.with_tier(above_tokens)


def test_only_what_is_free_in_every_tier_is_free():
    assert FREE.with_tier(10).free
    assert not FREE.with_tier(10, output=Decimal(1)).free
    assert not Prices(input=Decimal(0), output=Decimal(0), request=Decimal("0.005")).free


def test_a_price_per_request_is_for_calls_that_were_made():
    prices = Prices(input=Decimal(3), output=Decimal(15), request=Decimal("0.005"))

    assert compute_cost(USAGE, prices) == Decimal("0.0095")
    assert compute_cost(Usage(input_tokens=0, output_tokens=0), prices) == 0


@given(usage=usages(), prices=PRICES)
def test_cost_and_saving_are_together_what_the_call_costs_without_a_cache(usage, prices):
    nothing_kept = replace(usage, cached_input_tokens=0, cache_write_tokens=0, cache_write_1h_tokens=0)

    together = compute_cost(usage, prices) + cache_saving(usage, prices)

    # Each is rounded once.
    assert abs(together - compute_cost(nothing_kept, prices)) <= Decimal("0.000000002")


@given(usage=usages(), prices=PRICES)
def test_the_saving_is_exact_and_rounded_once(usage, prices):
    rates = rates_of(usage, prices)
    exact = sum(tokens * (Fraction(rates.input) - Fraction(price)) for tokens, price in kept_input(usage, rates))

    saving = cache_saving(usage, prices)

    assert saving.as_tuple().exponent == -9
    assert abs(Fraction(saving) - exact / 1_000_000) <= Fraction(1, 2 * 10**9)


@given(tokens=TOKENS, said=TOKENS, prices=PRICES)
def test_a_call_without_a_cache_saves_nothing(tokens, said, prices):
    assert cache_saving(Usage(input_tokens=tokens, output_tokens=said), prices) == 0


@pytest.mark.parametrize(
    ("cached", "written", "saving"),
    [(600, 0, "0.00162"), (0, 600, "-0.00045"), (600, 300, "0.001395")],
    ids=["read", "written", "both"],
)
def test_savings_worked_by_hand(cached, written, saving):
    prices = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"), cache_write=Decimal("3.75"))
    usage = Usage(input_tokens=1000, output_tokens=100, cached_input_tokens=cached, cache_write_tokens=written)

    assert cache_saving(usage, prices) == Decimal(saving)
    assert price_attempt(usage, prices, counted_by_us=False, partial=False).cache_saved_usd == Decimal(saving)
    assert price_attempt(usage, None, counted_by_us=False, partial=False).cache_saved_usd is None


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
def test_a_kept_answer_costs_nothing_and_saves_what_it_would_have_cost(prices, computed):
    cost = price_cached(USAGE, prices)

    assert cost == Cost(
        cost_usd=Decimal(0),
        code="cached",
        computed_cost_usd=computed,
        reported_cost_usd=None,
        cache_saved_usd=computed,
    )


HALF = Prices(input=Decimal("1.5"), output=Decimal("7.5"))
WITH_BATCH = replace(PRICED, services=(ServicePrices(service="batch", prices=HALF),))


@pytest.mark.parametrize(
    ("service", "cost", "code"),
    [(None, "0.0045", "computed"), ("batch", "0.00225", "computed"), ("priority", None, "unpriced")],
)
def test_a_level_of_service_has_its_own_prices_or_none(service, cost, code):
    priced = price_attempt(replace(USAGE, service_tier=service), WITH_BATCH, counted_by_us=False, partial=False)

    assert (priced.cost_usd, priced.code) == (None if cost is None else Decimal(cost), code)
    assert (priced.cache_saved_usd is None) == (cost is None)


def test_images_that_were_read_from_the_cache_cost_what_the_cache_costs():
    prices = Prices(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"), image=Decimal(6))
    usage = Usage(input_tokens=1000, output_tokens=0, cached_input_tokens=900, image_tokens=500)

    assert compute_cost(usage, prices) == Decimal("0.00087")  # 900 at 0.3, and at most 100 images at 6
