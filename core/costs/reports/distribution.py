"""How much calls take: percentiles of cost, time to the first token, duration and tokens, and their distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.costs.reports.statements import GROUPS, fetch
from core.costs.usage_filter import UsageFilter, Viewer
from core.store.database import Cursor

# What is measured of a call: a column of `measured_calls`, which has one for its steps too. Times are in microseconds.
MEASURED: Mapping[str, str] = {
    "cost": "cost_usd",
    "first_token": "first_token_us",
    "duration": "duration_us",
    "tokens": "whole_tokens",
}
# Fewer samples have no twentieth worst (PRODUCT.md, "Status").
FEWEST = 20
# Each bin is a tenth wider than the one below it.
GROWTH = 1.1
_MOST_GROUPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """The exact percentiles of `count` values; None with fewer than FEWEST of them. Dollars, milliseconds or tokens."""

    count: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """So many calls took from `low` to below `high`."""

    low: float
    high: float
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How many of the measured calls took how much. `zeros` took nothing and are in no bin."""

    bins: Sequence[Bin]
    zeros: int
    percentiles: Percentiles
    most: float | None


def load_distribution(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, measured: str) -> Distribution:
    """The distribution of a name of MEASURED over the chosen calls."""
    expressions = {"value": MEASURED[measured], "step": f"{measured}_step"}
    row = fetch(cur, "distribution", chosen, viewer=viewer, expressions=expressions)[0]
    bins = [
        Bin(low=GROWTH ** item["bin"], high=GROWTH ** (item["bin"] + 1), calls=item["calls"])
        for item in row["bins"] or ()
    ]
    return Distribution(
        bins=bins,
        zeros=row["zeros"],
        percentiles=_percentiles(row["calls"], row["percentiles"], measured),
        most=None if row["most"] is None else row["most"] / _per_unit(measured),
    )


def load_percentiles(
    cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, by: str, measured: str
) -> dict[str, Percentiles]:
    """The percentiles of a name of MEASURED by a name of GROUPS, for the 40 groups with the most measured calls."""
    expressions = {"group": GROUPS[by], "value": MEASURED[measured]}
    rows = fetch(cur, "percentiles", chosen, viewer=viewer, expressions=expressions, limit=_MOST_GROUPS)
    return {row["name"]: _percentiles(row["calls"], row["percentiles"], measured) for row in rows}


def _percentiles(count: int, values: Sequence[float] | None, measured: str) -> Percentiles:
    if values is None or count < FEWEST:
        return Percentiles(count=count)
    p50, p95, p99 = (value / _per_unit(measured) for value in values)
    return Percentiles(count=count, p50=p50, p95=p95, p99=p99)


def _per_unit(measured: str) -> int:
    return 1000 if MEASURED[measured].endswith("_us") else 1
