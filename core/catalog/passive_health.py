"""The status of every model, from the ledger and the newest probes: looked at every two seconds at most.

A page does not wait for a look: it takes the one before, at most 45 seconds old, while a new one is taken beside it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn

from core.catalog.call_figures import CallFigures
from core.catalog.health import SAMPLES_FOR_PERCENTILES, STALE, Cooling, Figures, ModelStatus, Probe, judge
from core.catalog.status_history import KnownState, load_states, purge_history, record_change
from core.clock import Clock, monotonic_ms, utc_now
from core.store.database import Database
from core.store.sql import load_queries

log = logging.getLogger(__name__)

CoolingOf = Callable[[str], Cooling | None]
RunAside = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]

_REFRESH_MS = 2000
# The history of states looks every 30 s, whether anybody else does or not.
_TOO_OLD_MS = 45_000
# However many calls there are, reading them takes no more than a twentieth of a thread's time.
_MOST_OFTEN = 20
# What is usual changes slowly and reads a whole week.
_USUAL_REFRESH_MS = 10 * 60_000
_RECORD_EVERY_S = 30.0
_PURGE_EVERY_MS = 60 * 60_000

_SQL = load_queries("health")


@dataclass(frozen=True, slots=True)
class _Read:
    """One look at the store."""

    figures: Mapping[str, Figures] = field(default_factory=dict)
    probes: Mapping[str, Probe] = field(default_factory=dict)


_UNTRIED = judge(Figures(), now=utc_now())


class PassiveHealth:
    """The status of every model. Safe to use from any thread.

    `cooling` says for a model id until when its circuit is open, if it is. `run_aside` runs a coroutine beside the
    pages; without it, whoever asks takes the look.
    """

    def __init__(
        self,
        database: Database,
        *,
        cooling: CoolingOf = lambda _model_id: None,
        run_aside: RunAside | None = None,
        clock: Clock = utc_now,
        now_ms: Callable[[], float] = monotonic_ms,
    ) -> None:
        self._database = database
        self._cooling = cooling
        self._run_aside = run_aside
        self._clock = clock
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._calls = CallFigures(database)
        self._read = _Read()
        self._read_ms = self._usual_ms = self._purged_ms = float("-inf")
        self._every_ms: float = _REFRESH_MS
        self._usual: Mapping[str, float] = {}
        self._known: dict[str, KnownState] | None = None

    def status(self, model_id: str) -> ModelStatus:
        """The status of one model; "unknown" when nothing was tried."""
        return self._judge(self._fresh(), model_id)

    def probed(self) -> None:
        """Look at the store again at the next question: a probe has ended."""
        self._read_ms = float("-inf")

    def record_changes(self) -> None:
        """Write down which models changed their state since the last time. Called by one thread at a time."""
        read, now = self._fresh(), self._clock()
        if self._known is None:
            self._known = load_states(self._database)
        for model_id in {*read.figures, *read.probes, *self._known}:
            status = self._judge(read, model_id)
            before = self._known.get(model_id)
            if status.state != (before.state if before else "unknown"):
                at = _changed_at(status, before, now=now)
                self._known[model_id] = record_change(self._database, model_id, status, at=at)
        if self._now_ms() - self._purged_ms >= _PURGE_EVERY_MS:
            purge_history(self._database, now=now)
            self._purged_ms = self._now_ms()

    def _judge(self, read: _Read, model_id: str) -> ModelStatus:
        figures, probe, cooling = read.figures.get(model_id), read.probes.get(model_id), self._cooling(model_id)
        if figures is None and probe is None and cooling is None:
            # Most of 500 models, asked for at every run of every page.
            return _UNTRIED
        return judge(figures or Figures(), now=self._clock(), cooling=cooling, probe=probe)

    def _fresh(self) -> _Read:
        age_ms = self._now_ms() - self._read_ms
        # Whoever comes while another thread reads takes what there is.
        if age_ms >= self._every_ms and self._lock.acquire(blocking=False):
            if self._run_aside is None or age_ms > _TOO_OLD_MS:
                self._look()
            else:
                self._run_aside(self._look_aside)
        return self._read

    async def _look_aside(self) -> None:
        await asyncio.to_thread(self._look)

    def _look(self) -> None:
        """Look at the store, and release the lock that the caller has taken."""
        try:
            self._read_ms = started_ms = self._now_ms()
            self._refresh(self._clock())
            self._every_ms = max(_REFRESH_MS, _MOST_OFTEN * (self._now_ms() - started_ms))
        finally:
            self._lock.release()

    def _refresh(self, now: datetime) -> None:
        if self._now_ms() - self._usual_ms >= _USUAL_REFRESH_MS:
            self._usual = read_usual(self._database, now=now)
            self._usual_ms = self._now_ms()
        self._read = _Read(
            figures=self._calls.read(now=now, usual=self._usual),
            probes=read_probes(self._database, now=now),
        )


async def keep_history(
    health: PassiveHealth, *, every_s: float = _RECORD_EVERY_S, turn: Callable[[], bool] = lambda: True
) -> NoReturn:
    """Record changes of state for as long as the process lives, also while nobody looks; when it is its `turn`."""
    while True:
        await asyncio.sleep(every_s)
        try:
            if turn():
                await asyncio.to_thread(health.record_changes)
        except Exception:
            # History is a courtesy; the next round tries again.
            log.warning("changes of the models' states were not recorded", exc_info=True)


def read_usual(database: Database, *, now: datetime) -> dict[str, float]:
    """What each model's p95 time to the first token usually is, in milliseconds; models with too few calls left out."""
    rows = database.fetch_all(
        _SQL["usual_first_token"],
        week=now - timedelta(days=7),
        half_hour=now - timedelta(minutes=30),
        samples=SAMPLES_FOR_PERCENTILES,
    )
    return {row["model_id"]: row["usual_p95_ms"] for row in rows}


def read_probes(database: Database, *, now: datetime) -> dict[str, Probe]:
    """The newest probe of every model that was probed lately."""
    rows = database.fetch_all(_SQL["newest_probes"], since=now - STALE)
    return {row["model_id"]: Probe(row["at"], row["problem"]) for row in rows}


def _changed_at(status: ModelStatus, before: KnownState | None, *, now: datetime) -> datetime:
    """When a state began. Grey begins by itself ten minutes after the last call, also while nothing looked."""
    if status.state != "unknown" or before is None:
        return now
    last = max(before.since, status.figures.last_at or before.since)
    return min(now, last + STALE)
