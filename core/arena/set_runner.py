"""Jobs that put sets of prompts to models: each on a thread of its own, on the engine that answers chats.

Where a job stands is in the store, so that a new process goes on where the last one ended. A call that a budget refuses
pauses the job; a model that fails stops nobody but itself. Of several replicas the one that claims a job works on it
and hears from the store what is said to it elsewhere; when it is gone, another one goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from core.arena.set_runs import Job, JobState, load_job, retry_failed, said_in, set_job_state
from core.arena.set_tasks import Next, Task, next_step, settle, waiting_tasks
from core.chat.admission import ColumnToBegin, TurnRequest
from core.chat.turns import LiveTurn, TurnEngine
from core.errors import LimitReached, NotFound, StoreError, SwitchboardError, TurnRefused
from core.replicas.jobs import JobOwners, Members, OnlyOne
from core.store.database import Database
from core.store.sql import load_queries

log = logging.getLogger(__name__)

AT_ONCE_PER_MODEL = 2
# How often the ends of answers are looked for: far shorter than an answer, and next to no work.
_LOOK_EVERY_S = 0.05
# How often a replica asks the store whether somebody told the job something on another one.
_ASK_EVERY_S = 1.0
_SQL = load_queries("set_runs")


class SetRunner:
    """Runs jobs. One per process; safe to use from any thread."""

    def __init__(self, database: Database, engine: TurnEngine, *, members: Members | None = None) -> None:
        self._database = database
        self._engine = engine
        self._owners = JobOwners(database, members or OnlyOne())
        self._lock = threading.Lock()
        self._closing = False
        self._working: dict[str, tuple[_Work, threading.Thread]] = {}

    def resume_all(self) -> None:
        """Go on with every job that runs and that nobody works on: its process has ended, or it was told elsewhere."""
        for row in self._database.fetch_all(_SQL["running_jobs"]):
            if not self._works_on(row["id"]):
                self._launch(load_job(self._database, row["id"]))

    def start(self, job: Job, *, user_id: str, again: bool = False) -> None:
        """Begin a job or go on with it; with `again`, what failed is asked once more. Raises NotFound."""
        _own(job, user_id)
        if again:
            retry_failed(self._database, job.id)
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
            work = _Work(self._database, self._engine, job, self._owners, after=before[1] if before else None)
            thread = threading.Thread(target=work.run, name="prompt-set", daemon=True)
            self._working[job.id] = (work, thread)
            thread.start()

    def _end(self, job: Job, user_id: str, state: JobState) -> None:
        _own(job, user_id)
        set_job_state(self._database, job.id, state)
        with self._lock:
            if (work := self._alive(job.id)) is not None:
                work.end(state)

    def _alive(self, job_id: str) -> _Work | None:
        found = self._working.get(job_id)
        return found[0] if found and found[1].is_alive() else None


@dataclass(eq=False)
class _Work:
    """One job while a thread works on it. `leave`: the process ends, nothing is settled any more."""

    database: Database
    engine: TurnEngine
    job: Job
    owners: JobOwners
    after: threading.Thread | None = None
    leave: threading.Event = field(default_factory=threading.Event)
    _ending: JobState | None = None
    _over: bool = False
    _not_before: float = 0.0
    _asked_at: float = field(default_factory=time.monotonic)
    _live: dict[str, tuple[Task, LiveTurn]] = field(default_factory=dict)
    _waiting: deque[Task] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def waiting(self) -> int:
        """How many answers have not been begun."""
        return len(self._waiting)

    def end(self, state: JobState) -> None:
        """Begin nothing more; when it is cancelled, stop what is under way."""
        self._ending = state
        if state == "cancelled":
            for _, live in list(self._live.values()):
                self.engine.stop(live)

    def go_on(self) -> bool:
        """Take back a pause; False when the work has ended by now."""
        with self._lock:
            if self._over or self._ending == "cancelled":
                return False
            self._ending = None
            return True

    def run(self) -> None:
        """Work until there is nothing left to do, or until told to end."""
        if self.after is not None:
            self.after.join()
            # The one before has let go of it.
            if not self.owners.claim(self.job.id):
                return
        try:
            self._waiting.extend(waiting_tasks(self.database, self.job))
            while not self._finished():
                self._look()
                self.leave.wait(_LOOK_EVERY_S)
        except Exception:
            # A thread of its own: nobody else would hear of it.
            log.exception("a job on a set of prompts failed")
            self._over = True
            set_job_state(self.database, self.job.id, "paused", note="Something went wrong; the log says why.")
        # A process that ends keeps it, so that the others go on only when it is gone.
        if not self.leave.is_set():
            self.owners.release(self.job.id)

    def _finished(self) -> bool:
        """Whether the thread may end; the job is done when nothing is left."""
        with self._lock:
            if self.leave.is_set():
                self._over = True
            elif not self._live and (self._ending or not self._waiting):
                self._over = True
                if not self._ending:
                    set_job_state(self.database, self.job.id, "done")
            return self._over

    def _look(self) -> None:
        for task, live in list(self._live.values()):
            if live.buffer.wait_until_ended(timeout_s=0) and not self.leave.is_set():
                del self._live[task.id]
                self._advance(task, fresh=False)
        if self.owners.shared and time.monotonic() - self._asked_at >= _ASK_EVERY_S:
            self._hear()
        if time.monotonic() >= self._not_before:
            self._fill()

    def _hear(self) -> None:
        """Do what the job was told on another replica."""
        self._asked_at = time.monotonic()
        state = load_job(self.database, self.job.id).state
        if state == "running":
            self.go_on()
        elif state != self._ending:
            self.end(state)

    def _fill(self) -> None:
        """Begin tasks, as many as every model may have at once."""
        busy = Counter(task.model_id for task, _ in self._live.values())
        for task in list(self._waiting):
            if self._ending or self.leave.is_set() or time.monotonic() < self._not_before:
                return
            if busy[task.model_id] < AT_ONCE_PER_MODEL:
                self._waiting.remove(task)
                self._advance(task, fresh=True)
                busy[task.model_id] += task.id in self._live

    def _advance(self, task: Task, *, fresh: bool) -> None:
        """Take the next step of a task: a call, or its end."""
        texts = task.texts()
        step = next_step(said_in(self.database, task.run_id, [task.id])[task.id], texts, fresh=fresh)
        if step.kind == "done":
            settle(self.database, task)
        elif step.kind == "failed" and self._ending != "cancelled":
            settle(self.database, task, problem=step.text)
        elif self._ending:
            # What is left of it is asked when the job goes on.
            self._waiting.appendleft(task)
        else:
            self._ask(task, step)

    def _ask(self, task: Task, step: Next) -> None:
        begun = step.message_id is not None or bool(said_in(self.database, task.run_id, [task.id])[task.id])
        try:
            live = self.engine.start(_request(task, step, begun=begun))
        except LimitReached as refusal:
            self._waiting.appendleft(task)
            self._wait_or_pause(refusal)
        except StoreError as error:
            self._waiting.appendleft(task)
            self._pause(str(error))
        except SwitchboardError as error:
            self._refused(task, error)
        else:
            self._live[task.id] = (task, live)

    def _wait_or_pause(self, refusal: LimitReached) -> None:
        """A rate limit passes by itself; a budget does not."""
        if refusal.code == "rate_limit" and refusal.retry_after_s is not None:
            self._not_before = time.monotonic() + refusal.retry_after_s
        else:
            self._pause(str(refusal))

    def _refused(self, task: Task, error: SwitchboardError) -> None:
        if isinstance(error, TurnRefused) and error.code == "stopping":
            self._waiting.appendleft(task)
            self.leave.set()
        else:
            settle(self.database, task, problem=str(error))

    def _pause(self, note: str) -> None:
        self._ending = "paused"
        set_job_state(self.database, self.job.id, "paused", note=note)


def _request(task: Task, step: Next, *, begun: bool) -> TurnRequest:
    return TurnRequest(
        user_id=task.user_id,
        model_id=task.model_id,
        text=step.text,
        answer_again=step.message_id,
        conversation_id=task.id if begun else None,
        begins=None if begun else ColumnToBegin(task.id, task.run_id),
        # A run is about this very model.
        fallback="never",
        source=task.source,
        use_case=task.use_case,
    )


def _own(job: Job, user_id: str) -> None:
    if job.user_id != user_id:
        raise NotFound("This job belongs to somebody else.", next_step="Only who started it can change it.")
