"""Requests and tokens of the last minute, counted as they are admitted: a sliding window per limit."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

WINDOW = timedelta(minutes=1)
Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Lane:
    """What is counted together: one limit, the person whose own window it is, and the only model that counts.

    `user_id` is empty where the limit is shared, `model_id` None where every model counts.
    """

    limit_id: str
    user_id: str
    model_id: str | None
    requests: int | None
    tokens: int | None

    @property
    def key(self) -> Key:
        """What stays the same when the amounts of the limit change."""
        return self.limit_id, self.user_id, self.model_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A window that has no room: what it holds, and in how many seconds it has; None: never, the call is too large."""

    lane: Lane
    what: Literal["requests", "tokens"]
    used: int
    wait_s: float | None


@dataclass(slots=True)
class _Entry:
    at: datetime
    turn_id: str
    tokens: int


class Windows:
    """The windows of one process. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: defaultdict[Key, deque[_Entry]] = defaultdict(deque)

    def full(self, lanes: Sequence[Lane], *, tokens: int, now: datetime) -> Full | None:
        """The lane that a call of so many tokens has to wait for the longest; None when all have room."""
        with self._lock:
            found = [full for lane in lanes if (full := self._full(lane, tokens, now)) is not None]
        return max(found, key=lambda one: float("inf") if one.wait_s is None else one.wait_s, default=None)

    def enter(self, turn_id: str, lanes: Sequence[Lane], *, tokens: int, now: datetime) -> None:
        """Count a call in every lane."""
        with self._lock:
            for lane in lanes:
                self._of(lane, now).append(_Entry(now, turn_id, tokens))

    def correct(self, turn_id: str, *, tokens: Mapping[str, int]) -> None:
        """What the turn took is known now, by model. An empty mapping: nobody was asked, and nothing counts."""
        with self._lock:
            for (_, _, model_id), entries in self._entries.items():
                found = [entry for entry in entries if entry.turn_id == turn_id]
                taken = sum(tokens.values()) if model_id is None else tokens.get(model_id, 0)
                for entry in found:
                    entry.tokens, taken = taken, 0
                    if not tokens:
                        entries.remove(entry)

    def used(self, lane: Lane, *, now: datetime) -> tuple[int, int]:
        """The requests and tokens of the last minute."""
        with self._lock:
            entries = self._of(lane, now)
            return len(entries), sum(entry.tokens for entry in entries)

    def _of(self, lane: Lane, now: datetime) -> deque[_Entry]:
        entries = self._entries[lane.key]
        while entries and entries[0].at <= now - WINDOW:
            entries.popleft()
        return entries

    def _full(self, lane: Lane, tokens: int, now: datetime) -> Full | None:
        entries = self._of(lane, now)
        if lane.requests is not None and len(entries) >= lane.requests:
            freed = entries[len(entries) - lane.requests].at
            return Full(lane=lane, what="requests", used=len(entries), wait_s=_until(freed, now))
        used = sum(entry.tokens for entry in entries)
        if lane.tokens is None or used + tokens <= lane.tokens:
            return None
        left = used
        for entry in entries:
            left -= entry.tokens
            if left + tokens <= lane.tokens:
                return Full(lane=lane, what="tokens", used=used, wait_s=_until(entry.at, now))
        return Full(lane=lane, what="tokens", used=used, wait_s=None)


def _until(entered: datetime, now: datetime) -> float:
    return max(0.0, (entered + WINDOW - now).total_seconds())
