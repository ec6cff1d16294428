"""What API tokens may take: requests a minute and dollars a calendar month (UTC), beside the limits of their owners.

What a token has spent is read from the ledger once and then again when a call of it has ended: no query before a call.
Replicas tell each other of every request; those that arrive at several within the same few milliseconds all pass.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from datetime import datetime, timedelta
from decimal import Decimal

from core.clock import Clock, utc_now
from core.costs.words import money
from core.errors import LimitReached
from core.shared.journal import ALONE, Event, Journal
from core.store.database import Database
from core.store.sql import load_queries

_MINUTE = timedelta(minutes=1)
_SQL = load_queries("token_use")


class TokenUse:
    """The use of every token in this process. Safe from any thread; the first look at a token reads the store."""

    def __init__(self, database: Database, *, clock: Clock = utc_now, journal: Journal = ALONE) -> None:
        self._database = database
        self._journal = journal
        journal.on("token_request", self._hear_request)
        journal.on("token_ended", self._hear_end)
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[datetime]] = defaultdict(deque)
        # By token and month: a new month begins with nothing.
        self._spent: dict[tuple[str, datetime], Decimal] = {}

    def admit(self, token_id: str, *, rpm_limit: int | None, budget_usd: Decimal | None) -> int | None:
        """Count a request; returns how many more this minute takes, None without a limit.

        Calls that run at the same time know nothing of each other's cost: a token's budget can be passed by what they
        take. Raises LimitReached (rate_limit, budget) and counts nothing.
        """
        now = self._clock()
        if budget_usd is not None and (spent := self._spent_usd(token_id, _month(now))) >= budget_usd:
            raise LimitReached(
                "budget",
                f"This token has spent {money(spent)} of its {money(budget_usd)} this month (UTC).",
                limit_id=token_id,
                next_step="Wait for the next month, or make a token with a higher budget.",
            )
        if rpm_limit is None:
            return None
        with self._lock:
            left = self._enter(self._calls[token_id], rpm_limit, token_id, now)
        self._journal.tell({"kind": "token_request", "token": token_id, "at": now.isoformat()})
        return left

    def ended(self, token_id: str) -> None:
        """A call of the token is in the ledger: read what it has spent again, if anybody asked before. It blocks."""
        key = (token_id, _month(self._clock()))
        if key in self._spent:
            self._spent[key] = self._read(*key)
        self._journal.tell({"kind": "token_ended", "token": token_id})

    def _hear_request(self, event: Event, _by: str) -> None:
        with self._lock:
            calls = self._calls[event["token"]]
            _forget_old(calls, self._clock())
            calls.append(datetime.fromisoformat(event["at"]))

    def _hear_end(self, event: Event, _by: str) -> None:
        # The next request reads it.
        self._spent.pop((event["token"], _month(self._clock())), None)

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

    def _spent_usd(self, token_id: str, month: datetime) -> Decimal:
        key = (token_id, month)
        if (spent := self._spent.get(key)) is None:
            spent = self._spent[key] = self._read(*key)
        return spent

    def _read(self, token_id: str, month: datetime) -> Decimal:
        row = self._database.fetch_one(_SQL["spent_by_token"], token_id=token_id, since=month)
        return row["cost_usd"] if row else Decimal(0)


def _forget_old(calls: deque[datetime], now: datetime) -> None:
    while calls and now - calls[0] >= _MINUTE:
        calls.popleft()


def _month(now: datetime) -> datetime:
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
