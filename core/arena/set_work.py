"""One job on a set of prompts while a thread works on it: what it asks next, and when it rests, pauses or ends."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from core.arena.set_runs import Job, JobState, load_job, said_in, set_job_state
from core.arena.set_tasks import Next, Task, request_for, settle, step_of, waiting_tasks
from core.chat.turns import LiveTurn, TurnEngine
from core.errors import LimitReached, StoreError, SwitchboardError, TurnRefused
from core.replicas.jobs import JobOwners
from core.store.database import Database

log = logging.getLogger(__name__)

AT_ONCE_PER_MODEL = 2
# How often the ends of answers are looked for: far shorter than an answer, and next to no work.
_LOOK_EVERY_S = 0.05
# How often a replica asks the store whether somebody told the job something on another one.
_ASK_EVERY_S = 1.0
# A provider that was asked too often says so for some seconds up to a minute; a store that is busy for less than one.
AFTER_RATE_LIMIT_S = 20.0
_AFTER_STORE_ERROR_S = 0.5
# Answers under way hold their estimate of a budget, which is more than most of them cost: how soon to look again.
_HELD_FOR_S = 0.5
# How often a task is put off before its failure counts.
_PUT_OFF_AT_MOST = 6


@dataclass(eq=False)
class Work:
    """One job while a thread works on it. `leave`: the process ends, nothing is settled any more."""

    database: Database
    engine: TurnEngine
    job: Job
    owners: JobOwners
    rest_s: float
    after: threading.Thread | None = None
    leave: threading.Event = field(default_factory=threading.Event)
    _ending: JobState | None = None
    _over: bool = False
    # By model: no call before this moment of the monotonic clock.
    _not_before: dict[str, float] = field(default_factory=dict)
    _put_off: Counter[str] = field(default_factory=Counter)
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

    def resting(self) -> list[str]:
        """The models that are not asked now."""
        now = time.monotonic()
        return [model_id for model_id, moment in list(self._not_before.items()) if moment > now]

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
            elif not self._live and (self._ending or not (self._waiting or self._left())):
                self._over = True
                if not self._ending:
                    set_job_state(self.database, self.job.id, "done")
            return self._over

    def _left(self) -> bool:
        """Whether the store holds tasks that were not at hand: what failed may have been put back meanwhile."""
        self._waiting.extend(waiting_tasks(self.database, self.job))
        return bool(self._waiting)

    def _look(self) -> None:
        for task, live in list(self._live.values()):
            if live.buffer.wait_until_ended(timeout_s=0) and not self.leave.is_set():
                del self._live[task.id]
                self._advance(task, fresh=False)
        if self.owners.shared and time.monotonic() - self._asked_at >= _ASK_EVERY_S:
            self._hear()
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
            if self._ending or self.leave.is_set():
                return
            rests = time.monotonic() < self._not_before.get(task.model_id, 0.0)
            if not rests and busy[task.model_id] < AT_ONCE_PER_MODEL:
                self._waiting.remove(task)
                self._advance(task, fresh=True)
                busy[task.model_id] += task.id in self._live

    def _advance(self, task: Task, *, fresh: bool) -> None:
        """Take the next step of a task: a call, or its end."""
        step = step_of(task, said_in(self.database, task.run_id, [task.id])[task.id], fresh=fresh)
        if step.kind == "done":
            settle(self.database, task)
        elif step.kind == "failed" and step.rate_limited and self._rest(task, self.rest_s):
            pass
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
            live = self.engine.start(request_for(task, step, begun=begun))
        except LimitReached as refusal:
            self._waiting.appendleft(task)
            self._wait_or_pause(task, refusal)
        except StoreError as error:
            if not self._rest(task, _AFTER_STORE_ERROR_S):
                self._waiting.appendleft(task)
                self._pause(str(error))
        except SwitchboardError as error:
            self._refused(task, error)
        else:
            self._live[task.id] = (task, live)
            # Cancelled while it was being begun: what is under way has been stopped without it.
            if self._ending == "cancelled":
                self.engine.stop(live)

    def _rest(self, task: Task, rest_s: float) -> bool:
        """Put a task off and leave its model alone for a while; False when that has been done often enough."""
        self._put_off[task.id] += 1
        if self._put_off[task.id] > _PUT_OFF_AT_MOST:
            return False
        self._waiting.appendleft(task)
        self._not_before[task.model_id] = time.monotonic() + rest_s
        return True

    def _wait_or_pause(self, task: Task, refusal: LimitReached) -> None:
        """A rate limit passes by itself, and so does what running calls hold of a budget; what is spent does not."""
        if refusal.code == "rate_limit" and refusal.retry_after_s is not None:
            self._not_before[task.model_id] = time.monotonic() + refusal.retry_after_s
        elif self._live:
            self._not_before[task.model_id] = time.monotonic() + _HELD_FOR_S
        else:
            # The next step that a refusal names is for somebody at a message box.
            self._pause(f"{refusal.user_message} What was answered is kept. Go on when there is room again.")

    def _refused(self, task: Task, error: SwitchboardError) -> None:
        if isinstance(error, TurnRefused) and error.code == "stopping":
            self._waiting.appendleft(task)
            self.leave.set()
        else:
            settle(self.database, task, problem=str(error))

    def _pause(self, note: str) -> None:
        self._ending = "paused"
        set_job_state(self.database, self.job.id, "paused", note=note)
