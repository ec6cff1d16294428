"""The figures of every model from the calls of the last 24 hours, without reading the whole day again and again.

The calls before the last half hour are kept summed up; every minute what has become old is added and what left the day
is taken away again. The half hour itself is read each time. Counts are exact: the store counts the summed rows at every
look, and when a row turned up late (a try that ended long before its turn did) everything is summed anew. The
percentiles of half an hour are exact too, those of the day within 1 % (core.catalog.log_bins).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from core.catalog.health import STALE, Calls, Figures, Percentiles
from core.catalog.log_bins import GROWTH, SMALLEST, quantiles
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

_DAY = timedelta(days=1)
_HALF_HOUR = timedelta(minutes=30)
_SHARES = (0.5, 0.95)
_NEWEST = 3
_NEVER = datetime.max  # noqa: DTZ901 - naive UTC, as everywhere

_SQL = load_queries("health")


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """When something last happened to a model, naive UTC; `newest` holds its last three results, the newest first."""

    at: datetime | None = None
    worked_at: datetime | None = None
    error: str | None = None
    error_at: datetime | None = None
    newest: tuple[tuple[datetime, str], ...] = ()

    def then(self, later: Last) -> Last:
        """The two together. Of two errors the one with the later time stays."""
        errors = ((one.error_at, one.error) for one in (self, later) if one.error_at is not None)
        error_at, error = max(errors, default=(None, None), key=lambda pair: pair[0])
        newest = sorted((*self.newest, *later.newest), reverse=True)[:_NEWEST]
        return Last(
            at=_latest(self.at, later.at),
            worked_at=_latest(self.worked_at, later.worked_at),
            error=error,
            error_at=error_at,
            newest=tuple(newest),
        )

    def since(self, moment: datetime) -> Last:
        """What of it happened at that moment or later."""
        error = self.error_at is not None and self.error_at >= moment
        return Last(
            at=self.at if self.at and self.at >= moment else None,
            worked_at=self.worked_at if self.worked_at and self.worked_at >= moment else None,
            error=self.error if error else None,
            error_at=self.error_at if error else None,
            newest=tuple(pair for pair in self.newest if pair[0] >= moment),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The calls of one model in a stretch of time; `rows` counts those too that say nothing about the model.

    `waits` and `speeds` count the times to the first token (ms) and the speeds (tokens a second) by log bin.
    """

    rows: int = 0
    calls: Calls = field(default_factory=Calls)
    waits: Counter[int] = field(default_factory=Counter)
    speeds: Counter[int] = field(default_factory=Counter)
    last: Last = Last()

    def plus(self, other: Sums) -> Sums:
        """Both stretches together."""
        return Sums(
            rows=self.rows + other.rows,
            calls=_added(self.calls, other.calls, sign=1),
            waits=self.waits + other.waits,
            speeds=self.speeds + other.speeds,
            last=self.last.then(other.last),
        )

    def minus(self, gone: Sums) -> Sums:
        """Without the oldest of its calls; what happened last stays."""
        return Sums(
            rows=self.rows - gone.rows,
            calls=_added(self.calls, gone.calls, sign=-1),
            waits=self.waits - gone.waits,
            speeds=self.speeds - gone.speeds,
            last=self.last,
        )


@dataclass(frozen=True, slots=True)
class Summed:
    """The sums of every model for the calls that ended in `since` <= t < `until`, naive UTC."""

    since: datetime
    until: datetime
    models: Mapping[str, Sums]

    @property
    def rows(self) -> int:
        """How many rows of the ledger went into it."""
        return sum(sums.rows for sums in self.models.values())


_NOTHING = Sums()


class CallFigures:
    """Reads the figures. One thread at a time; keeps the sums of the day between two looks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._summed: Summed | None = None

    def read(self, *, now: datetime, usual: Mapping[str, float] | None = None) -> dict[str, Figures]:
        """The figures of every model called within 24 h, by id. `usual` is its usual p95 to the first token, in ms.

        The day begins at the full minute: up to 59 seconds more than 24 hours.
        """
        # One transaction is one state of the ledger: nothing is missed or counted twice between two queries.
        summed, live = self._database.snapshot(lambda cur: _look(cur, self._summed, now=now))
        self._summed = summed
        day = _full_minute(now - _DAY)
        found = {}
        for model_id in {**summed.models, **live}:
            recent, row = live.get(model_id, (_NOTHING, None))
            whole = summed.models.get(model_id, _NOTHING).plus(recent)
            whole = replace(whole, last=whole.last.since(day))
            found[model_id] = _figures(whole, row, (usual or {}).get(model_id))
        return found


def _look(cur: Cursor, summed: Summed | None, *, now: datetime) -> tuple[Summed, dict[str, tuple[Sums, Row]]]:
    until = _full_minute(now - _HALF_HOUR)
    summed = _moved(cur, summed, since=_full_minute(now - _DAY), until=until, now=now)
    return summed, _read(cur, since=until, until=_NEVER, now=now)


def _moved(cur: Cursor, summed: Summed | None, *, since: datetime, until: datetime, now: datetime) -> Summed:
    if summed is None or not _still_true(cur, summed) or not summed.since <= since <= summed.until <= until:
        return Summed(since, until, _sums(cur, since=since, until=until, now=now))
    if (since, until) == (summed.since, summed.until):
        return summed
    added = _sums(cur, since=summed.until, until=until, now=now)
    gone = _sums(cur, since=summed.since, until=since, now=now)
    models = {
        model_id: summed.models.get(model_id, _NOTHING).plus(added.get(model_id, _NOTHING))
        for model_id in {**summed.models, **added}
    }
    models |= {model_id: models[model_id].minus(left) for model_id, left in gone.items()}
    return Summed(since, until, {model_id: sums for model_id, sums in models.items() if sums.rows})


def _still_true(cur: Cursor, summed: Summed) -> bool:
    counted = cur.fetch_one(_SQL["count_calls"], since=summed.since, until=summed.until)
    return counted is not None and counted["calls"] == summed.rows


def _sums(cur: Cursor, *, since: datetime, until: datetime, now: datetime) -> dict[str, Sums]:
    return {model_id: sums for model_id, (sums, _) in _read(cur, since=since, until=until, now=now).items()}


def _read(cur: Cursor, *, since: datetime, until: datetime, now: datetime) -> dict[str, tuple[Sums, Row]]:
    rows = cur.fetch_all(_SQL["model_figures"], since=since, until=until, **_moments(now))
    waits, speeds = _bins(cur, since=since, until=until)
    return {
        row["model_id"]: (
            Sums(
                rows=row["calls"],
                calls=Calls(row["worked"], row["failed"], row["limited"]),
                waits=waits.get(row["model_id"], Counter()),
                speeds=speeds.get(row["model_id"], Counter()),
                last=_last(row),
            ),
            row,
        )
        for row in rows
    }


def _moments(now: datetime) -> dict[str, datetime]:
    return {
        "half_hour": now - _HALF_HOUR,
        "lately": now - STALE,
        "five_minutes": now - timedelta(minutes=5),
        "minute": now - timedelta(minutes=1),
    }


def _bins(cur: Cursor, *, since: datetime, until: datetime) -> tuple[dict[str, Counter[int]], dict[str, Counter[int]]]:
    waits: dict[str, Counter[int]] = {}
    speeds: dict[str, Counter[int]] = {}
    found = cur.fetch_all(_SQL["call_bins"], since=since, until=until, growth=GROWTH, smallest=SMALLEST)
    for row in found:
        if row["wait_bin"] is not None:
            waits.setdefault(row["model_id"], Counter())[row["wait_bin"]] += row["calls"]
        if row["speed_bin"] is not None:
            speeds.setdefault(row["model_id"], Counter())[row["speed_bin"]] += row["calls"]
    return waits, speeds


def _last(row: Row) -> Last:
    return Last(
        at=row["last_at"],
        worked_at=row["last_worked_at"],
        error=row["last_error"],
        error_at=row["last_error_at"],
        newest=tuple((one["at"], one["result"]) for one in row["newest"] or ()),
    )


def _figures(whole: Sums, row: Row | None, usual_p95_ms: float | None) -> Figures:
    return Figures(
        day=whole.calls,
        failures_in_a_row=_leading_failures([result for _, result in whole.last.newest]),
        first_token_day_ms=_percentiles(whole.waits),
        usual_p95_ms=usual_p95_ms,
        tokens_per_second=_percentiles(whole.speeds),
        last_at=whole.last.at,
        last_worked_at=whole.last.worked_at,
        last_error=whole.last.error,
        last_error_at=whole.last.error_at,
        **({} if row is None else _lately(row)),
    )


def _lately(row: Row) -> dict[str, Any]:
    p50, p95 = row["first_token_ms_30"] or (None, None)
    return {
        "five_minutes": Calls(row["worked_5"], row["failed_5"], row["limited_5"]),
        "half_hour": Calls(row["worked_30"], row["failed_30"], row["limited_30"]),
        "limited_lately": row["limited_lately"],
        "first_token_half_hour_ms": Percentiles.of(row["first_tokens_30"], p50, p95),
        "requests_last_minute": row["requests_last_minute"],
        "tokens_last_minute": row["tokens_last_minute"],
    }


def _percentiles(bins: Counter[int]) -> Percentiles:
    p50, p95 = quantiles(bins, _SHARES) or (None, None)
    return Percentiles.of(bins.total(), p50, p95)


def _leading_failures(newest: list[str]) -> int:
    worked = [result == "worked" for result in newest]
    return worked.index(True) if True in worked else len(worked)


def _added(calls: Calls, other: Calls, *, sign: int) -> Calls:
    return Calls(
        calls.worked + sign * other.worked,
        calls.failed + sign * other.failed,
        calls.limited + sign * other.limited,
    )


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _full_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
