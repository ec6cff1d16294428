"""Every statement behind the cost pages, found by running the pages' own functions with a cursor that notes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.costs.frontier import standings
from core.costs.length_ratios import measure_ratios
from core.costs.limit_rows import count_ledger
from core.costs.radar import retiring
from core.costs.reconcile import reconcile
from core.costs.replay import left_out_calls, replay
from core.costs.reports.calls import load_calls
from core.costs.reports.distribution import MEASURED, load_distribution, load_percentiles
from core.costs.reports.explorer import NOTHING, explore
from core.costs.reports.known_values import known_values
from core.costs.reports.overview import load_columns, load_overview
from core.costs.reports.reliability import load_reliability
from core.costs.reports.statements import GROUPS
from core.costs.usage_filter import UsageFilter
from core.store.database import Cursor, Database, Row
from core.store.reader import Reader

# The first cursor is on the ledger as the pages read it, the second one on the store.
Report = Callable[[Cursor, Cursor], object]


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """A statement of a report: the least time it took, in ms by the clock and on processors, and its text.

    `thread_ms` is what the busiest thread had of a processor: about what the clock says where nobody else wants one.
    """

    clock_ms: float
    thread_ms: float
    processor_ms: float
    sql: str


@dataclass(frozen=True, slots=True)
class Timed:
    """One report and its statements, slowest first."""

    name: str
    statements: tuple[Statement, ...]

    @property
    def slowest(self) -> Statement:
        """The statement that takes longest."""
        return self.statements[0]

    @property
    def total_ms(self) -> float:
        """All statements, one after the other, by the clock."""
        return sum(statement.clock_ms for statement in self.statements)


@dataclass(frozen=True, slots=True)
class _Administrator:
    id: str = "bench"
    is_admin: bool = True


class _Noting(Cursor):
    """A cursor that notes how long each statement took."""

    def __init__(self, cur: Cursor, noted: list[Statement]) -> None:
        super().__init__(cur.raw)
        self.noted = noted

    def fetch_all(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows, as ever."""
        before, clock = _processor_ms_by_thread(), time.perf_counter()
        rows = super().fetch_all(sql, **parameters)
        clock_ms = (time.perf_counter() - clock) * 1000
        used = [ms - before.get(thread, 0) for thread, ms in _processor_ms_by_thread().items()]
        self.noted.append(Statement(clock_ms, max(used), sum(used), sql))
        return rows


def _processor_ms_by_thread() -> dict[str, float]:
    """What each thread of this process has used, as Linux counts it: in nanoseconds, waits left out."""
    found = {}
    for file in Path("/proc/self/task").glob("*/schedstat"):
        # A thread may end while they are read.
        with suppress(OSError):
            found[file.parent.name] = int(file.read_text(encoding="ascii").split()[0]) / 1e6
    return found


class _NotingDatabase:
    """As much of a Database as a report needs that asks for one."""

    def __init__(self, cur: Cursor) -> None:
        self.fetch_all = cur.fetch_all
        self.snapshot = lambda work: work(cur)


def reports(now: datetime) -> Mapping[str, Report]:
    """What the pages read, by name: over 30 days, the default, and over the whole ledger."""
    found: dict[str, Report] = {}
    for label, days in (("30 days", 30), ("all", 4000)):
        chosen = UsageFilter(since=now - timedelta(days=days), until=now + timedelta(days=1))
        narrowed = replace(chosen, models=("openai-00",), sources=("chat",))
        found[f"overview, {label}"] = partial(_overview, chosen=chosen, by="model", now=now)
        found[f"overview of one model, {label}"] = partial(_overview, chosen=narrowed, by="person", now=now)
        for group in GROUPS:
            found[f"over time by {group}, {label}"] = partial(_columns, chosen=chosen, by=group)
        for first, second in (("week", "model"), ("person", "model"), ("model", NOTHING), ("status", "code")):
            found[f"explorer by {first} and {second}, {label}"] = _of(explore, chosen, first=first, second=second)
        for page in (1, 100):
            found[f"calls, page {page}, {label}"] = _of(load_calls, chosen, page=page)
        for measured in MEASURED:
            found[f"distribution of {measured}, {label}"] = _of(load_distribution, chosen, measured=measured)
            found[f"percentiles of {measured}, {label}"] = _of(load_percentiles, chosen, by="model", measured=measured)
        found[f"reliability, {label}"] = _of(load_reliability, chosen)
        found[f"what filters offer, {label}"] = _of(known_values, chosen)
        found[f"reconcile, {label}"] = partial(_reconcile, chosen=chosen)
        found |= _replayed(chosen, label, now)
    # What budgets and limits are counted anew from; a page asks the store nothing about them.
    found["budgets, this month"] = lambda _, store: count_ledger(_as_database(store), zone=UTC, now=now)
    return found


def _replayed(chosen: UsageFilter, label: str, now: datetime) -> dict[str, Report]:
    """The Replay tab: what it measures first, one model, its calls left out, the frontier, and models that retire."""
    model = ModelSpec(
        id="bench",
        label="Bench",
        provider=ProviderSpec(id="openai", kind="openai"),
        upstream="bench",
        context_tokens=8_000,
        prices=Prices(input=Decimal(1), output=Decimal(4), source="bench"),
    )
    who = _Administrator()

    def both(cur: Cursor, store: Cursor) -> None:
        ratios = measure_ratios(_as_database(cur), _as_database(store), now=now)
        replay(_as_database(cur), chosen, model, viewer=who, ratios=ratios)
        left_out_calls(_as_database(cur), chosen, model, viewer=who, ratios=ratios)

    retired = replace(model, id="openai-00", retires_on=now.date())
    return {
        f"replay, {label}": both,
        f"frontier, {label}": lambda cur, _: standings(_as_database(cur), chosen, viewer=who),
        f"retiring models, {label}": lambda cur, store: retiring(
            _as_database(cur),
            {retired.id: retired},
            scope=chosen,
            viewer=who,
            ratios=lambda: measure_ratios(_as_database(cur), _as_database(store), now=now),
            now=now,
        ),
    }


def _of(load: Callable[..., object], chosen: UsageFilter, **options: object) -> Report:
    return lambda cur, _: load(cur, chosen, viewer=_Administrator(), **options)


def measure(ledger: Reader, database: Database, *, now: datetime, repetitions: int) -> list[Timed]:
    """Run every report several times; the first run of each only warms up."""
    with ledger.cursor() as cur, database.cursor() as store:
        return [_measured(cur, store, name, report, repetitions) for name, report in reports(now).items()]


def _measured(cur: Cursor, store: Cursor, name: str, report: Report, repetitions: int) -> Timed:
    runs = []
    for _ in range(repetitions + 1):
        noted: list[Statement] = []
        report(_Noting(cur, noted), _Noting(store, noted))
        runs.append(noted)
    best = [
        Statement(
            min(one.clock_ms for one in same),
            min(one.thread_ms for one in same),
            min(one.processor_ms for one in same),
            same[0].sql,
        )
        for same in zip(*runs[1:], strict=True)
    ]
    return Timed(name, tuple(sorted(best, reverse=True)))


def _overview(cur: Cursor, _: Cursor, *, chosen: UsageFilter, by: str, now: datetime) -> object:
    return load_overview(cur, chosen, viewer=_Administrator(), by=by, now=now)


def _columns(cur: Cursor, _: Cursor, *, chosen: UsageFilter, by: str) -> object:
    return load_columns(cur, chosen, viewer=_Administrator(), by=by)


def _reconcile(cur: Cursor, store: Cursor, *, chosen: UsageFilter) -> object:
    since, until = chosen.since.date(), chosen.until.date()
    return reconcile(_as_database(store), _as_database(cur), provider="openai", since=since, until=until, models={})


def _as_database(cur: Cursor) -> Any:
    return _NotingDatabase(cur)
