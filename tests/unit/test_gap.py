"""Why a bill and our figure differ: the parts add up, and each cause is named as itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.catalog.models import Prices
from core.costs.gap import Billed, Gap, Ours, Tokens, explain

PRICES = Prices(input=Decimal(2), output=Decimal(8), cached_input=Decimal("0.2"))
TOKENS = Tokens(input=1_000_000, cached_input=0, cache_write=0, output=500_000)
OURS = Ours(
    calls=100,
    unpriced_calls=0,
    unpriced_tokens=0,
    tokens=TOKENS,
    computed_usd=Decimal(6),
    reported_usd=Decimal(0),
    reported_calls=0,
)
SAME = Billed(amount_usd=Decimal(6), calls=100, tokens=TOKENS)

_counts = st.integers(min_value=0, max_value=10**9)
_money = st.decimals(min_value=0, max_value=10**6, places=9)
_tokens = st.builds(Tokens, input=_counts, cached_input=_counts, cache_write=_counts, output=_counts)
_ours = st.builds(
    Ours,
    calls=st.integers(min_value=1, max_value=10**6),
    unpriced_calls=_counts,
    unpriced_tokens=_counts,
    tokens=_tokens,
    computed_usd=_money,
    reported_usd=_money,
    reported_calls=_counts,
)
_billed = st.builds(
    Billed,
    amount_usd=st.none() | st.decimals(min_value=-100, max_value=10**6, places=9),
    calls=st.none() | _counts,
    tokens=st.none() | _tokens,
)


@given(st.none() | _ours, st.none() | _billed, st.sampled_from([None, PRICES]))
def test_the_parts_always_add_up_to_the_gap(ours, billed, prices):
    gap = explain(ours, billed, prices)

    if gap is None:
        assert (ours is None and billed is None) or (billed is not None and billed.amount_usd is None)
        return
    amount = billed.amount_usd if billed else 0
    assert gap.total == amount - (ours.computed_usd if ours else 0)


def test_two_sides_that_agree_have_no_gap():
    assert explain(OURS, SAME, PRICES) == Gap()


def test_calls_that_are_not_in_the_ledger():
    billed = Billed(amount_usd=Decimal(12), calls=200, tokens=replace(TOKENS, input=2_000_000, output=1_000_000))

    assert explain(OURS, billed, PRICES) == Gap(missing_here=Decimal(6))
    assert explain(None, SAME, None) == Gap(missing_here=Decimal(6))


def test_calls_that_the_provider_does_not_bill():
    billed = Billed(amount_usd=Decimal(3), calls=50, tokens=replace(TOKENS, input=500_000, output=250_000))

    assert explain(OURS, billed, PRICES) == Gap(missing_there=Decimal(-3))
    assert explain(OURS, None, PRICES) == Gap(missing_there=Decimal(-6))


def test_more_tokens_for_the_same_calls_are_priced_by_bucket():
    more = replace(TOKENS, input=1_500_000, cached_input=100_000, output=400_000)

    gap = explain(OURS, replace(SAME, amount_usd=Decimal("6.02"), tokens=more), PRICES)

    assert gap == Gap(fresh_input=Decimal("0.80"), cached_input=Decimal("0.02"), output=Decimal("-0.80"))


def test_tokens_that_only_changed_their_bucket_are_told_in_both():
    cached = replace(TOKENS, cached_input=250_000)

    gap = explain(OURS, replace(SAME, amount_usd=Decimal("5.55"), tokens=cached), PRICES)

    assert gap == Gap(fresh_input=Decimal("-0.50"), cached_input=Decimal("0.05"))


def test_what_names_no_model_used_here_is_not_said_to_be_calls():
    assert explain(None, SAME, None, used_here=False) == Gap(not_for_calls=Decimal(6))


def test_another_price_for_the_same_tokens():
    assert explain(OURS, replace(SAME, amount_usd=Decimal("7.50")), None) == Gap(price=Decimal("1.50"))


def test_calls_without_a_price_take_their_share_of_the_bill():
    ours = replace(OURS, unpriced_calls=50, unpriced_tokens=750_000, computed_usd=Decimal(3))

    assert explain(ours, SAME, PRICES) == Gap(unpriced=Decimal(3))


def test_a_bill_without_tokens_leaves_the_rest_unexplained():
    billed = Billed(amount_usd=Decimal(7), calls=None, tokens=None)

    assert explain(OURS, billed, PRICES) == Gap(unexplained=Decimal(1))


def test_gaps_add_up_cause_by_cause():
    one, two = Gap(price=Decimal(1), unpriced=Decimal(2)), Gap(price=Decimal(-3), output=Decimal(4))

    assert one + two == Gap(price=Decimal(-2), unpriced=Decimal(2), output=Decimal(4))
    assert (one + two).total == one.total + two.total
