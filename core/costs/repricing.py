"""Calls of the past at other prices: what a price would change, and the corrections when it is entered late.

The arithmetic is core.costs.pricing's, in SQL over whole periods (the macro `repriced`); a property test holds the two
together to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from core.catalog.models import BUCKETS, Prices
from core.costs.price_lines import OFF_PEAK, to_lines
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("repricing")
_BILLION = 1_000_000_000
# Longer than any input.
_NO_END = 2**62
# What a bucket costs that has no price of its own, in this order.
_PARENTS = {
    "cached_input": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "image": "input",
    "audio": "input",
    "reasoning": "output",
    "audio_output": "output",
}
# Off-peak hours begin and end on quarters of an hour, and so do days in every zone.
_STEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Slice:
    """What a model costs from one moment until before another: off-peak hours are slices of their own."""

    model_id: str
    begins_at: datetime
    ends_at: datetime
    prices: Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What prices make of a model's calls: of `calls` priced from tokens, `unpriced` had no price, `corrected` change.

    `beside` more keep what their provider billed or a cache gave: only our own figure beside it changes.
    `before_usd` is the sum of those that had one. `last_at` is when the last of them ended; None without any.
    """

    calls: int = 0
    unpriced: int = 0
    corrected: int = 0
    beside: int = 0
    before_usd: Decimal = Decimal(0)
    after_usd: Decimal = Decimal(0)
    last_at: datetime | None = None

    @property
    def difference_usd(self) -> Decimal:
        """What the sum changes by."""
        return self.after_usd - self.before_usd


def slices_of(model_id: str, prices: Prices, *, since: datetime, until: datetime) -> list[Slice]:
    """One price over a period, its off-peak hours apart."""
    if prices.off_peak is None:
        return [Slice(model_id, since, until, prices)]
    begins = [(since, prices.on(since))]
    for moment in _quarters(since, until):
        if (now := prices.on(moment)) is not begins[-1][1]:
            begins.append((moment, now))
    ends = [*(moment for moment, _ in begins[1:]), until]
    return [Slice(model_id, moment, end, price) for (moment, price), end in zip(begins, ends, strict=True)]


def effects(database: Database, slices: Sequence[Slice], *, since: datetime, until: datetime) -> Mapping[str, Effect]:
    """What these prices would make of the calls that ended in a period, by model. Nothing is changed."""
    if not slices:
        return {}
    rows = database.fetch_all(_SQL["effects"], **_parameters(slices), since=since, until=until)
    return {row.pop("model_id"): Effect(**row) for row in rows}


def correct(
    cur: Cursor,
    slices: Sequence[Slice],
    *,
    since: datetime,
    until: datetime,
    reason: str,
    actor_id: str | None,
    now: datetime,
) -> None:
    """Add a correction for every call of the period that something else is computed for at these prices.

    What a provider reported as billed stays what the call cost.

    Within the caller's transaction; again with the same prices it adds nothing.
    """
    cur.execute(
        _SQL["correct"],
        **_parameters(slices),
        since=since,
        until=until,
        batch=new_id(),
        now=now,
        reason=reason,
        actor=actor_id,
    )


def _quarters(since: datetime, until: datetime) -> Iterator[datetime]:
    moment = since.replace(minute=0, second=0, microsecond=0)
    while moment < until:
        if moment > since:
            yield moment
        moment += _STEP


def _parameters(slices: Sequence[Slice]) -> dict[str, Any]:
    rates = [(number, *rate) for number, part in enumerate(slices) for rate in _rates(part.prices)]
    columns = [list(column) for column in zip(*rates, strict=True)] if rates else [[] for _ in range(7)]
    names = ("slices", "services", "above", "up_to", "prices", "free", "versions")
    return {
        "slice_models": [part.model_id for part in slices],
        "slice_begins": [part.begins_at for part in slices],
        "slice_ends": [part.ends_at for part in slices],
        **{f"rate_{name}": column for name, column in zip(names, columns, strict=True)},
    }


def _rates(prices: Prices) -> Iterator[tuple[str, int, int, list[int], bool, str]]:
    """Service, the lengths of input it is for (more than, up to), its rates, whether all is free, the version."""
    steps: dict[str, dict[int, dict[str, int]]] = {}
    for line in to_lines(prices):
        if line.service != OFF_PEAK:
            usd = int(line.usd_per_million * _BILLION)
            steps.setdefault(line.service, {}).setdefault(line.above_tokens, {})[line.bucket] = usd
    for service, by_length in steps.items():
        borders = [*sorted(by_length), _NO_END]
        for above, up_to in pairwise(borders):
            # Without tiers, or below the first, also a call that nothing went into.
            yield service, above or -1, up_to, _in_order(by_length[above]), prices.free, prices.name


def _in_order(usd: Mapping[str, int]) -> list[int]:
    whole = dict(usd)
    for bucket, parent in _PARENTS.items():
        whole.setdefault(bucket, whole[parent])
    whole.setdefault("request", 0)
    return [whole[bucket] for bucket in BUCKETS]
