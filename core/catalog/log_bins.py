"""Counts in bins that grow by 2 %: percentiles of any number of values, in little room, within 1 %. Pure arithmetic."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

GROWTH = 1.02
# The middle of a bin, by ratio, is at most this share away from every value in it.
MOST_OFF = math.sqrt(GROWTH) - 1
# Below a thousandth (of a millisecond, of a token a second) everything is the same.
SMALLEST = 0.001

Bins = Mapping[int, int]


def bin_of(value: float) -> int:
    """The number of the bin that holds a value; the store computes the same."""
    return math.floor(math.log(max(value, SMALLEST)) / math.log(GROWTH))


def quantiles(bins: Bins, shares: tuple[float, ...]) -> tuple[float, ...]:
    """The quantiles of the values that were counted, interpolated between neighbours; () when there are none."""
    numbers = sorted(bins)
    up_to = list(accumulate(bins[number] for number in numbers))
    if not up_to or not up_to[-1]:
        return ()
    return tuple(_quantile(numbers, up_to, share) for share in shares)


def _quantile(numbers: list[int], up_to: list[int], share: float) -> float:
    rank = share * (up_to[-1] - 1)
    below, above = (_middle(numbers[bisect_right(up_to, whole)]) for whole in (int(rank), math.ceil(rank)))
    return below + (above - below) * (rank - int(rank))


def _middle(number: int) -> float:
    return math.exp((number + 0.5) * math.log(GROWTH))
