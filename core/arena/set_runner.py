"""Jobs that put sets of prompts to models: each on a thread of its own, on the engine that answers chats.

Where a job stands is in the store, so that a new process goes on where the last one ended. A call that a budget refuses
pauses the job; a model that fails stops nobody but itself, and one that was asked too often is asked again later. Of
several replicas the one that claims a job works on it and hears from the store what is said to it elsewhere; when it is
gone, another one goes on.
"""

from __future__ import annotations

import threading

from core.arena.set_runs import Job, JobState, Lost, check_owner, load_job, put_back, set_job_state
from core.arena.set_work import AFTER_RATE_LIMIT_S, Work
from core.chat.turns import TurnEngine
from core.replicas.jobs import JobOwners, Members, OnlyOne
from core.store.database import Database
from core.store.sql import load_queries

_SQL = load_queries("set_runs")


class SetRunner:
    """Runs jobs. One per process; safe to use from any thread."""

    def __init__(
        self,
        database: Database,
        engine: TurnEngine,
        *,
        members: Members | None = None,
        rest_s: float = AFTER_RATE_LIMIT_S,
    ) -> None:
        """`rest_s` is how long a model that was asked too often is left alone."""
        self._database = database
        self._engine = engine
        self._owners = JobOwners(database, members or OnlyOne())
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._closing = False
        self._working: dict[str, tuple[Work, threading.Thread]] = {}

    def resume_all(self) -> None:
        """Go on with every job that runs and that nobody works on: its process has ended, or it was told elsewhere."""
        for row in self._database.fetch_all(_SQL["running_jobs"]):
            if not self._works_on(row["id"]):
                self._launch(load_job(self._database, row["id"]))

    def start(self, job: Job, *, user_id: str, again: Lost | None = None) -> None:
        """Begin a job or go on with it; what was lost as `again` says is asked once more. Raises NotFound."""
        check_owner(job, user_id)
        if again:
            put_back(self._database, job.id, again)
        set_job_state(self._database, job.id, "running")
        self._launch(job)

    def pause(self, job: Job, *, user_id: str) -> None:
        """Ask for nothing more; the answers under way come to their end. Raises NotFound."""
        self._end(job, user_id, "paused")

    def cancel(self, job: Job, *, user_id: str) -> None:
        """Stop the answers under way and ask for nothing more; what was answered stays. Raises NotFound."""
        self._end(job, user_id, "cancelled")

    def working(self, job_id: str) -> bool:
        """Whether a thread is at work on a job; for a paused one, until the answers under way have ended."""
        return self._works_on(job_id) or self._owners.elsewhere(job_id)

    def resting(self, job_id: str) -> list[str]:
        """The models that a job leaves alone for a while, because they were asked too often."""
        with self._lock:
            work = self._alive(job_id)
        return work.resting() if work else []

    def wait(self, job_id: str, *, timeout_s: float) -> Job:
        """Wait until nobody works on a job, and return it."""
        with self._lock:
            found = self._working.get(job_id)
        if found:
            found[1].join(timeout_s)
        return load_job(self._database, job_id)

    def waiting(self) -> int:
        """How many answers of all jobs have not been begun."""
        with self._lock:
            return sum(work.waiting for work, thread in self._working.values() if thread.is_alive())

    def close(self, *, grace_s: float = 5.0) -> None:
        """Begin nothing more. Jobs stay as they are in the store, and the next process goes on with them."""
        with self._lock:
            self._closing = True
            working = list(self._working.values())
        for work, _ in working:
            work.leave.set()
        for _, thread in working:
            thread.join(grace_s)

    def _works_on(self, job_id: str) -> bool:
        with self._lock:
            return self._alive(job_id) is not None

    def _launch(self, job: Job) -> None:
        # Whoever works on it elsewhere sees in the store that it is to go on.
        if not self._owners.claim(job.id):
            return
        with self._lock:
            if self._closing:
                return
            if (work := self._alive(job.id)) is not None and work.go_on():
                return
            before = self._working.get(job.id)
            work = Work(self._database, self._engine, job, self._owners, self._rest_s, before[1] if before else None)
            thread = threading.Thread(target=work.run, name="prompt-set", daemon=True)
            self._working[job.id] = (work, thread)
            thread.start()

    def _end(self, job: Job, user_id: str, state: JobState) -> None:
        check_owner(job, user_id)
        set_job_state(self._database, job.id, state)
        with self._lock:
            if (work := self._alive(job.id)) is not None:
                work.end(state)

    def _alive(self, job_id: str) -> Work | None:
        found = self._working.get(job_id)
        return found[0] if found and found[1].is_alive() else None
