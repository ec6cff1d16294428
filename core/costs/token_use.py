"""How often API tokens ask: requests a minute, beside the limits of their owners.

Replicas tell each other of every request; those that arrive at several within the same few milliseconds all pass.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from datetime import datetime, timedelta

from core.clock import Clock, utc_now
from core.errors import LimitReached
from core.shared.journal import ALONE, Event, Journal

_MINUTE = timedelta(minutes=1)


class TokenUse:
    """The requests of every token in this process. Safe from any thread."""

    def __init__(self, *, clock: Clock = utc_now, journal: Journal = ALONE) -> None:
        self._journal = journal
        journal.on("token_request", self._hear_request)
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def admit(self, token_id: str, *, rpm_limit: int | None) -> int | None:
        """Count a request; returns how many more this minute takes, None without a limit.

        Raises LimitReached (rate_limit) and counts nothing.
        """
        if rpm_limit is None:
            return None
        now = self._clock()
        with self._lock:
            left = self._enter(self._calls[token_id], rpm_limit, token_id, now)
        self._journal.tell({"kind": "token_request", "token": token_id, "at": now.isoformat()})
        return left

    def _hear_request(self, event: Event, _by: str) -> None:
        with self._lock:
            calls = self._calls[event["token"]]
            _forget_old(calls, self._clock())
            calls.append(datetime.fromisoformat(event["at"]))

    def _enter(self, calls: deque[datetime], rpm_limit: int, token_id: str, now: datetime) -> int:
        _forget_old(calls, now)
        if len(calls) >= rpm_limit:
            raise LimitReached(
                "rate_limit",
                f"This token takes {rpm_limit:,} requests a minute, and they are used.",
                limit_id=token_id,
                next_step="Wait a moment, or make a token with a higher limit.",
                retry_after_s=(calls[len(calls) - rpm_limit] + _MINUTE - now).total_seconds(),
            )
        calls.append(now)
        return rpm_limit - len(calls)


def _forget_old(calls: deque[datetime], now: datetime) -> None:
    while calls and now - calls[0] >= _MINUTE:
        calls.popleft()
