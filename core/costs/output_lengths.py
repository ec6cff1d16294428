"""How long answers are: the middle half of what the ledger has seen, per model and use case."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from core.clock import Clock, utc_now
from core.store.database import Database
from core.store.sql import load_queries

Basis = Literal["model and use case", "model", "all models", "default"]

# Long enough for a model that is asked once a week to have its twenty answers.
MEASURED_OVER = timedelta(days=90)
# A quartile of fewer says little; the same bound as for the percentiles of a model's status.
LEAST_ANSWERS = 20
# New answers move a quartile slowly, and reading the ledger is for the background of a page at most.
_KEPT_FOR = timedelta(minutes=10)
_LOOKED_AT_EVERY_S = 30.0

_SQL = load_queries("output_lengths")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLength:
    """Tokens of an answer, reasoning included, from the 25th to the 75th percentile of `answers` answers."""

    low: int
    high: int
    basis: Basis
    answers: int = 0

    def within(self, most: int | None) -> OutputLength:
        """The same under an output limit of `most` tokens."""
        if most is None or most >= self.high:
            return self
        return OutputLength(low=min(self.low, most), high=most, basis=self.basis, answers=self.answers)


# Until the ledger has enough: the mean answer of two published collections of real chats, LMSYS-Chat-1M (arXiv
# 2309.11998, 215 tokens) and WildChat (arXiv 2405.01470, 441 tokens).
DEFAULT_LENGTH = OutputLength(low=215, high=441, basis="default")


@dataclass(frozen=True, slots=True)
class OutputLengths:
    """The measured lengths of all models. Keys are (model id or None for all, use case or None for all)."""

    measured: Mapping[tuple[str | None, str | None], OutputLength] = field(default_factory=dict)

    def of(self, model_id: str, use_case: str | None = None) -> OutputLength:
        """The lengths of a model's answers in a use case; else its own in all, else all models', else the default."""
        keys: tuple[tuple[str | None, str | None], ...] = ((model_id, use_case), (model_id, None), (None, None))
        return next((self.measured[key] for key in keys if key in self.measured), DEFAULT_LENGTH)


def measure_lengths(database: Database, *, now: datetime) -> OutputLengths:
    """The lengths of the whole answers of the last 90 days, where there were at least 20. `now` is naive UTC."""
    rows = database.fetch_all(_SQL["output_lengths"], since=now - MEASURED_OVER, least=LEAST_ANSWERS)
    measured = {}
    for row in rows:
        key = (row["model_id"], row["use_case"])
        measured[key] = OutputLength(low=row["low"], high=row["high"], answers=row["answers"], basis=_basis(*key))
    return OutputLengths(measured)


async def measure_regularly(lengths: KeptLengths, *, every_s: float = _LOOKED_AT_EVERY_S) -> None:
    """Measure before anybody has to wait for it: a call's budget asks for the lengths. For the background."""
    while True:
        await asyncio.to_thread(lengths.current)
        await asyncio.sleep(every_s)


class KeptLengths:
    """The lengths, read from the ledger at most every ten minutes. Safe to use from any thread."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database, self._clock = database, clock
        self._lock = threading.Lock()
        self._kept = OutputLengths()
        self._read_at: datetime | None = None

    def current(self) -> OutputLengths:
        """The lengths as of the last ten minutes. Only the first caller waits for the ledger; others take the last."""
        now = self._clock()
        if self._read_at is not None and abs(now - self._read_at) < _KEPT_FOR:
            return self._kept
        if self._lock.acquire(blocking=self._read_at is None):
            try:
                self._read(now)
            finally:
                self._lock.release()
        return self._kept

    def _read(self, now: datetime) -> None:
        if self._read_at is None or abs(now - self._read_at) >= _KEPT_FOR:
            self._kept = measure_lengths(self._database, now=now)
            self._read_at = now


def _basis(model_id: str | None, use_case: str | None) -> Basis:
    if model_id is None:
        return "all models"
    return "model" if use_case is None else "model and use case"
