"""Percentiles from counts in logarithmic bins."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.log_bins import GROWTH, MOST_OFF, SMALLEST, bin_of, quantiles

VALUES = st.floats(min_value=SMALLEST, max_value=1e7)
SHARES = st.floats(min_value=0, max_value=1)


def exact(values: list[float], share: float) -> float:
    ordered = sorted(values)
    rank = share * (len(ordered) - 1)
    below = ordered[int(rank)]
    above = ordered[min(int(rank) + 1, len(ordered) - 1)]
    return below + (above - below) * (rank - int(rank))


@given(st.lists(VALUES, min_size=1, max_size=200), SHARES)
def test_a_quantile_is_within_one_percent_of_the_exact_one(values: list[float], share: float) -> None:
    (found,) = quantiles(Counter(bin_of(value) for value in values), (share,))

    assert MOST_OFF < 0.01
    assert found == pytest.approx(exact(values, share), rel=MOST_OFF * 1.001)


@given(VALUES)
def test_a_bin_holds_its_values(value: float) -> None:
    number = bin_of(value)

    assert GROWTH**number * 0.999999 <= value <= GROWTH ** (number + 1) * 1.000001


def test_nothing_counted_has_no_quantiles_and_nothing_is_too_small() -> None:
    assert quantiles({}, (0.5,)) == ()
    assert quantiles({3: 0}, (0.5,)) == ()
    assert bin_of(0) == bin_of(-5) == bin_of(SMALLEST)


def test_quantiles_rise_with_their_share() -> None:
    bins = Counter(bin_of(value) for value in range(1, 1000))

    low, middle, high = quantiles(bins, (0.05, 0.5, 0.95))

    assert low < middle < high
