"""Medians, percentiles and spread: pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

__all__ = ["gaps", "median", "percentile", "spread"]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie, linear between neighbours (Hyndman and Fan's type 7).

    Raises ValueError when there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The smallest and the largest value."""
    return min(values), max(values)


def gaps(times: Sequence[float]) -> list[float]:
    """The differences between neighbours."""
    return [later - earlier for earlier, later in pairwise(times)]
