"""What the team knows of its models: ratings from votes, weaker signs, and how their answers went, by use case.

Measured in the background and kept, so that a page that recommends a model reads memory alone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from core.arena.boards import Boards
from core.arena.ratings import SHOWN_FROM, Board
from core.arena.weak_evidence import WeakEvidence, weak_evidence
from core.clock import Clock, utc_now
from core.store.database import Database
from core.store.sql import load_queries

# Speed and cost are of the models as they are now; opinions are few and change slowly.
ANSWERS_OVER = timedelta(days=30)
SIGNS_OVER = timedelta(days=90)
_LOOKED_AT_EVERY_S = 60.0
T = TypeVar("T")
_SQL = load_queries("advice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How a model's calls of 30 days went: people's, not probes, titles or answers from the cache.

    `first_token_ms` is the median of `timed` answers, `cost_usd` the mean of `priced` ones; None where there is none.
    """

    worked: int = 0
    failed: int = 0
    first_token_ms: float | None = None
    timed: int = 0
    cost_usd: Decimal | None = None
    priced: int = 0

    @property
    def judged(self) -> int:
        """How many calls say something about the model."""
        return self.worked + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How often a model's answer was voted on, and how often it was the better one."""

    votes: int
    wins: int


# Compared by identity: what follows from it is kept for as long as it is the same.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """All of it. Keys of use cases are None for everything together."""

    boards: Mapping[str | None, Board] = field(default_factory=dict)
    signs: Mapping[str | None, Mapping[str, WeakEvidence]] = field(default_factory=dict)
    answers: Mapping[str | None, Mapping[str, Answers]] = field(default_factory=dict)
    records: Mapping[str | None, Mapping[str, Record]] = field(default_factory=dict)


def measure_evidence(database: Database, boards: Boards, *, now: datetime) -> Evidence:
    """Everything known at `now` (naive UTC). Takes as long as the boards do: not for a page."""
    rows = database.fetch_all(_SQL["use_cases_with_votes"])
    voted = (None, *(row["use_case"] for row in rows if row["votes"] >= SHOWN_FROM))
    answers = _by_model(database, "answers", Answers, since=now - ANSWERS_OVER)
    named = dict.fromkeys([None, *voted, *answers])
    return Evidence(
        boards={use_case: boards.board(use_case) for use_case in voted},
        signs={use_case: _signs(database, use_case, since=now - SIGNS_OVER) for use_case in named},
        answers=answers,
        records=_by_model(database, "records", Record),
    )


def _signs(database: Database, use_case: str | None, *, since: datetime) -> dict[str, WeakEvidence]:
    return {one.model_id: one for one in weak_evidence(database, since=since, use_case=use_case)}


def _by_model(
    database: Database, query: str, make: Callable[..., T], **parameters: object
) -> dict[str | None, dict[str, T]]:
    found: dict[str | None, dict[str, T]] = {}
    for row in database.fetch_all(_SQL[query], **parameters):
        use_case, model_id = row.pop("use_case"), row.pop("model_id")
        found.setdefault(use_case, {})[model_id] = make(**row)
    return found


class KeptEvidence:
    """The evidence as of the last minute. Reading it never waits. Safe to use from any thread."""

    def __init__(self, database: Database, boards: Boards, *, clock: Clock = utc_now) -> None:
        self.boards = boards
        self._database, self._clock = database, clock
        self._lock = threading.Lock()
        self._kept = Evidence()
        self._version: int | None = None

    def current(self) -> Evidence:
        """What was measured last; nothing is known before the first time."""
        return self._kept

    def measure(self) -> Evidence:
        """Measure now, unless nothing was written since the last time."""
        with self._lock:
            version = self._database.version
            if version != self._version:
                self._kept = measure_evidence(self._database, self.boards, now=self._clock())
                self._version = version
            return self._kept


async def measure_evidence_regularly(kept: KeptEvidence, *, every_s: float = _LOOKED_AT_EVERY_S) -> None:
    """Measure once a minute. For the background."""
    while True:
        await asyncio.to_thread(kept.measure)
        await asyncio.sleep(every_s)
