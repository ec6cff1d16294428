"""What a month will have cost at its end, from the days before: pure arithmetic.

A day still to come is expected to cost the mean of the same weekday in the last 28 days (of all days where that weekday
has none): teams work by the week, and four weeks are recent. The interval holds four of five outcomes when the month is
played 1,000 times (a bootstrap, Efron 1979): each time, what a weekday usually costs is itself drawn anew from its days
of the past, and the days to come from that, so that four Mondays are not taken for all there is to know about Mondays.
Where a weekday has fewer than three days of history, all days stand in: one Monday says nothing about the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

HISTORY_DAYS = 28
# Every weekday twice. With less the page says so, and with less than a week there is no forecast.
ENOUGH_DAYS, FEWEST_DAYS = 14, 7
_ENOUGH_SAME = 3
_DRAWS, _SEED = 1000, 20261129
_LOW, _HIGH = 10, 90
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the month will have cost: the expected sum, and the bounds of four of five outcomes, rounded to cents.

    `days` of history went into it.
    """

    expected_usd: Decimal
    low_usd: Decimal
    high_usd: Decimal
    days: int

    @property
    def thin(self) -> bool:
        """Whether there is too little history to lean on it."""
        return self.days < ENOUGH_DAYS


def forecast(
    by_day: Mapping[date, Decimal], *, today: date, first_call: date | None, month_end: date
) -> Forecast | None:
    """Forecast a month from what each day has cost; a day that is not in `by_day` cost nothing.

    `month_end` is its last day. None when the ledger does not reach a week back.
    """
    days = 0 if first_call is None else min(HISTORY_DAYS, (today - first_call).days)
    if days < FEWEST_DAYS:
        return None
    history = {day: by_day.get(day, Decimal(0)) for day in _days_before(today, days)}
    so_far, spent_today = _month_to(today, by_day), by_day.get(today, Decimal(0))
    ahead = [today + timedelta(days=count) for count in range((month_end - today).days + 1)]
    pools = [_same_weekday(history, day) for day in ahead]
    means = [sum(pool, Decimal(0)) / len(pool) for pool in pools]
    # Today is part over: it will have cost what such a day usually does, and no less than it has.
    expected = so_far + max(spent_today, means[0]) + sum(means[1:], Decimal(0))
    low, high = _interval(ahead, history, spent_today=float(spent_today))
    return Forecast(
        expected_usd=expected.quantize(_CENT),
        low_usd=min(expected, so_far + Decimal(low)).quantize(_CENT),
        high_usd=max(expected, so_far + Decimal(high)).quantize(_CENT),
        days=days,
    )


def _days_before(today: date, count: int) -> list[date]:
    return [today - timedelta(days=back) for back in range(1, count + 1)]


def _month_to(today: date, by_day: Mapping[date, Decimal]) -> Decimal:
    first = today.replace(day=1)
    return sum((cost for day, cost in by_day.items() if first <= day < today), Decimal(0))


def _same_weekday(history: Mapping[date, Decimal], day: date) -> list[Decimal]:
    return [cost for other, cost in history.items() if other.weekday() == day.weekday()] or list(history.values())


def _interval(days: Sequence[date], history: Mapping[date, Decimal], *, spent_today: float) -> tuple[float, float]:
    random = np.random.default_rng(_SEED)
    plays = np.arange(_DRAWS)
    # The past of each weekday that is known well enough, and one of all days for the others; a row for every play.
    pasts: dict[int | None, Any] = {}
    drawn = []
    for day in days:
        same = [cost for other, cost in history.items() if other.weekday() == day.weekday()]
        known = day.weekday() if len(same) >= _ENOUGH_SAME else None
        if known not in pasts:
            pool = [float(cost) for cost in (same if known is not None else history.values())]
            pasts[known] = random.choice(pool, size=(_DRAWS, len(pool)))
        drawn.append(pasts[known][plays, random.integers(pasts[known].shape[1], size=_DRAWS)])
    # Today will have cost no less than it has.
    drawn[0] = np.maximum(drawn[0], spent_today)
    low, high = np.percentile(np.sum(drawn, axis=0), [_LOW, _HIGH])
    return float(low), float(high)
