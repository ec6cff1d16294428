"""How much calls take: percentiles of cost, time to the first token, duration and tokens, and their distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.costs.reports.statements import GROUPS, fetch
from core.costs.usage_filter import UsageFilter, Viewer
from core.store.database import Cursor


def _ms(moment: str) -> str:
    return f"date_diff('microsecond', started_at, {moment}) / 1000.0::double"


# What is measured of a call, over `ledger`. Only what a model answered itself says how long one takes; an answer that
# was cut off says nothing of how long answers are.
MEASURED: Mapping[str, str] = {
    "cost": "cost_usd::double",
    "first_token": f"case when not cached then {_ms('first_token_at')} end",
    "duration": f"case when not cached and status = 'ok' then {_ms('ended_at')} end",
    "tokens": "case when status = 'ok' then (input_tokens + output_tokens)::double end",
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
    row = fetch(cur, "distribution", chosen, viewer=viewer, expressions={"value": MEASURED[measured]})[0]
    bins = [
        Bin(low=GROWTH ** item["bin"], high=GROWTH ** (item["bin"] + 1), calls=item["calls"])
        for item in row["bins"] or ()
    ]
    return Distribution(
        bins=bins,
        zeros=row["zeros"],
        percentiles=_percentiles(row["calls"], row["percentiles"]),
        most=row["most"],
    )


def load_percentiles(
    cur: Cursor, chosen: UsageFilter, *, viewer: Viewer, by: str, measured: str
) -> dict[str, Percentiles]:
    """The percentiles of a name of MEASURED by a name of GROUPS, for the 40 groups with the most measured calls."""
    expressions = {"group": GROUPS[by], "value": MEASURED[measured]}
    rows = fetch(cur, "percentiles", chosen, viewer=viewer, expressions=expressions, limit=_MOST_GROUPS)
    return {row["name"]: _percentiles(row["calls"], row["percentiles"]) for row in rows}


def _percentiles(count: int, values: Sequence[float] | None) -> Percentiles:
    if values is None or count < FEWEST:
        return Percentiles(count=count)
    return Percentiles(count=count, p50=values[0], p95=values[1], p99=values[2])
