"""Whether another replica has changed what administrators set: every such change leaves a row in the audit."""

from __future__ import annotations

from datetime import timedelta

from core.clock import Clock, utc_now
from core.ids import first_id_at
from core.store.database import Database
from core.store.sql import load_queries

# A row whose transaction took long appears behind younger ones; clocks of machines differ a little.
_OVERLAP = timedelta(seconds=60)
_SQL = load_queries("replicas")


class AuditNews:
    """What is new in the audit since the last look. For one thread."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._seen = self._read()

    def look(self) -> bool:
        """Whether something was written since the last look, by whomever."""
        found = self._read()
        news = not found <= self._seen
        self._seen = found
        return news

    def _read(self) -> frozenset[str]:
        rows = self._database.fetch_all(_SQL["audit_since"], first=first_id_at(self._clock() - _OVERLAP))
        return frozenset(row["id"] for row in rows)
