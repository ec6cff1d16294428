"""Which replica works on a job that must run once: whoever claims it, until it lets go or is gone."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import partial
from typing import Protocol

from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

_SQL = load_queries("replicas")


class Members(Protocol):
    """This process among those that share the store."""

    @property
    def id(self) -> str:
        """The id of this replica; empty where no other process uses the store."""

    @property
    def alive(self) -> AbstractSet[str]:
        """The ids of the replicas that are alive."""

    @property
    def leads(self) -> bool:
        """Whether this is the one that does what has to be done once."""


class OnlyOne:
    """A process that has its store to itself."""

    id = ""
    alive: AbstractSet[str] = frozenset({""})
    leads = True


class JobOwners:
    """Who works on which job. Safe to use from any thread; a process alone asks the store nothing."""

    def __init__(self, database: Database, members: Members) -> None:
        self._database = database
        self._members = members

    @property
    def shared(self) -> bool:
        """Whether others might work on a job."""
        return bool(self._members.id)

    def claim(self, job_id: str) -> bool:
        """Take a job that nobody alive works on; True also for one of our own."""
        return not self.shared or self._database.transaction(partial(self._claim, job_id))

    def release(self, job_id: str) -> None:
        """Let go of a job: it is over, or waits for somebody to go on with it."""
        if self.shared:
            self._database.execute(_SQL["disown_job"], job_id=job_id)

    def elsewhere(self, job_id: str) -> bool:
        """Whether another replica that is alive works on a job."""
        if not self.shared:
            return False
        row = self._database.fetch_one(_SQL["owner_of_job"], job_id=job_id)
        return row is not None and self._lives(row) and row["owner"] != self._members.id

    def _claim(self, job_id: str, cur: Cursor) -> bool:
        row = cur.fetch_one(_SQL["owner_of_job"], job_id=job_id)
        if row is not None and self._lives(row):
            return bool(row["owner"] == self._members.id)
        # The key keeps two replicas from both writing it.
        cur.execute(_SQL["disown_job"], job_id=job_id)
        cur.execute(_SQL["own_job"], job_id=job_id, owner=self._members.id)
        return True

    def _lives(self, row: Row) -> bool:
        return row["owner"] in self._members.alive or bool(row["has_joined"])
