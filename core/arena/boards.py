"""The boards of the team: ratings from the stored votes, kept until a vote changes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from core.arena.ratings import Board, HeadToHead, Votes, head_to_head, rate
from core.store.database import Database
from core.store.sql import load_queries

# Points of a history: more cannot be told apart in a chart, and each is a fit of its own.
_MOST_POINTS = 12
T = TypeVar("T")

_SQL = load_queries("votes")


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """The board as it was at a moment (naive UTC)."""

    until: datetime
    board: Board


class Boards:
    """Works ratings out when they are asked for and keeps them until the votes change. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._state: object = None
        self._kept: dict[object, Any] = {}

    def board(
        self, use_case: str | None = None, *, style: bool = False, progress: Callable[[float], None] | None = None
    ) -> Board:
        """The ratings of a use case, or over all of them. `progress` hears the share that is done."""
        return self._keep(
            ("board", use_case, style), lambda: rate(self._votes(use_case), style=style, progress=progress)
        )

    def head_to_head(self, use_case: str | None = None) -> list[HeadToHead]:
        """Who did how against whom."""
        return self._keep(("pairs", use_case), lambda: head_to_head(self._votes(use_case)))

    def history(
        self,
        use_case: str | None = None,
        *,
        now: datetime,
        over: timedelta,
        progress: Callable[[float], None] | None = None,
    ) -> list[HistoryPoint]:
        """The ratings as they were at up to 12 evenly spaced moments of the time before `now`, the last one now.

        Kept for the hour. `progress` hears the share that is done.
        """
        hour = now.replace(minute=0, second=0, microsecond=0)
        return self._keep(
            ("history", use_case, hour, over), lambda: self._history(use_case, now, over / _MOST_POINTS, progress)
        )

    def _history(
        self, use_case: str | None, now: datetime, step: timedelta, progress: Callable[[float], None] | None
    ) -> list[HistoryPoint]:
        points = []
        for number in range(1, _MOST_POINTS + 1):
            moment = now - step * (_MOST_POINTS - number)
            points.append(HistoryPoint(moment, rate(self._votes(use_case, until=moment))))
            if progress is not None:
                progress(number / _MOST_POINTS)
        return [point for point in points if point.board.ratings]

    def use_cases(self) -> dict[str | None, int]:
        """The use cases that have votes, most first, and how many; None stands for votes without one."""
        return {row["use_case"]: row["votes"] for row in self._database.fetch_all(_SQL["use_cases"])}

    def _votes(self, use_case: str | None, *, until: datetime | None = None) -> Votes:
        with self._database.cursor() as cur:
            return cur.fetch_columns(_SQL["counted"], use_case=use_case, until=until)

    def _keep(self, key: object, work: Callable[[], T]) -> T:
        state = tuple((self._database.fetch_one(_SQL["state"]) or {}).values())
        with self._lock:
            if state != self._state:
                self._state, self._kept = state, {}
            found: T | None = self._kept.get(key)
        if found is None:
            found = work()
            with self._lock:
                # Not for a state that has passed meanwhile.
                if state == self._state:
                    self._kept[key] = found
        return found
