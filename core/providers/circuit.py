"""A circuit per model: a model that fails is left alone for a while, then one real call finds out whether it is back.

The rules are pure functions on a value; `Circuits` keeps one value per model for the whole process. Rules and figures
as in the field: open on 429 for Retry-After, else 30 s, and when more than half of at least 5 calls in 60 s failed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.clock import Clock, utc_now
from core.errors import ErrorClass
from core.shared.journal import ALONE, Event, Journal

_WINDOW = timedelta(seconds=60)
_FEWEST_CALLS = 5
_COOLING_S = 30.0
# A provider may name any moment, also one in another year: nobody would find out that the model is back.
_LONGEST_S = 24 * 3600.0
# A trial whose end nobody reports (a bug) must not keep a model away for ever; a stall ends one long before.
_LONGEST_TRIAL = timedelta(minutes=10)

# What says that the model or the way to it is in trouble. The rest says something about the request or the key.
TROUBLE = frozenset(
    {
        ErrorClass.CONNECTION,
        ErrorClass.RATE_LIMIT,
        ErrorClass.SERVER,
        ErrorClass.STALL,
        ErrorClass.TRUNCATED,
        ErrorClass.STARTING,
    }
)


@dataclass(frozen=True, slots=True)
class CircuitState:
    """Whether a model is left alone: until when (naive UTC; None when it is not) and why, in a few words."""

    open_until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Second:
    """The calls that ended within one second. Counted, not listed: a busy model has thousands in a minute."""

    began: datetime
    worked: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is remembered of one model: the calls of the last minute, and the opening, if there is one.

    `open_until` in the past with no call since is half-open: `trial_since` says that somebody's call is finding out.
    """

    calls: tuple[Second, ...] = ()
    open_until: datetime | None = None
    reason: str = ""
    trial_since: datetime | None = None


def after_success(circuit: Circuit, *, now: datetime) -> Circuit:
    """A call worked. It closes the circuit; what failed before an opening is then forgotten."""
    before = () if circuit.open_until is not None else circuit.calls
    return Circuit(calls=_counted(before, now, worked=1))


def after_failure(
    circuit: Circuit, error_class: ErrorClass, *, now: datetime, retry_after_s: float | None = None
) -> Circuit:
    """A call failed. A failed trial opens the circuit again; a class outside TROUBLE only ends the trial."""
    if error_class not in TROUBLE:
        return replace(circuit, trial_since=None)
    calls = _counted(circuit.calls, now, failed=1)
    failed = sum(second.failed for second in calls)
    total = failed + sum(second.worked for second in calls)
    if error_class is ErrorClass.RATE_LIMIT:
        return _opened(circuit, calls, now, _COOLING_S if retry_after_s is None else retry_after_s, "429")
    if circuit.open_until is not None:
        return _opened(circuit, calls, now, _COOLING_S, circuit.reason)
    if total >= _FEWEST_CALLS and 2 * failed > total:
        return _opened(circuit, calls, now, _COOLING_S, f"{failed} of {total} calls failed")
    return Circuit(calls=calls)


def may_call(circuit: Circuit, *, now: datetime) -> bool:
    """Whether a call may go out: always while closed, never while open, one while half-open."""
    if circuit.open_until is None:
        return True
    if now < circuit.open_until:
        return False
    return circuit.trial_since is None or now - circuit.trial_since > _LONGEST_TRIAL


def _opened(circuit: Circuit, calls: tuple[Second, ...], now: datetime, seconds: float, reason: str) -> Circuit:
    until = now + timedelta(seconds=min(seconds, _LONGEST_S))
    # A later failure of a call that was under way does not shorten what the provider asked for.
    latest = max(until, circuit.open_until or until)
    return Circuit(calls=calls, open_until=latest, reason=reason)


def _counted(calls: tuple[Second, ...], now: datetime, *, worked: int = 0, failed: int = 0) -> tuple[Second, ...]:
    """The calls of the last minute with one more."""
    recent = tuple(second for second in calls if now - second.began <= _WINDOW)
    began = now.replace(microsecond=0)
    if recent and recent[-1].began == began:
        last = recent[-1]
        return (*recent[:-1], Second(began, last.worked + worked, last.failed + failed))
    return (*recent, Second(began, worked, failed))


class Circuits:
    """The circuits of all models, by id. Safe to use from any thread.

    What is reported here is told to the other replicas, and what they tell counts as reported here: nobody waits. Two
    of them may each let a trial call through in the same few milliseconds.
    """

    def __init__(self, *, clock: Clock = utc_now, journal: Journal = ALONE) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_model: dict[str, Circuit] = {}
        self._journal = journal
        journal.on("circuit", self._hear)
        journal.on("circuits_open", self._hear_open)
        journal.on("hello", lambda _event, _by: self.tell_open())

    def state(self, model_id: str) -> CircuitState:
        """Whether a model is left alone now, until when and why."""
        circuit, now = self._find(model_id), self._clock()
        if circuit.open_until is None or circuit.open_until <= now:
            return CircuitState()
        return CircuitState(circuit.open_until, circuit.reason)

    def enter(self, model_id: str) -> bool:
        """Ask to call a model. True for the one call that a half-open circuit lets through: report how it went."""
        with self._lock:
            circuit, now = self._find(model_id), self._clock()
            if not may_call(circuit, now=now):
                return False
            if circuit.open_until is None:
                return True
            self._by_model[model_id] = replace(circuit, trial_since=now)
        self._tell("trial", model_id)
        return True

    def succeed(self, model_id: str) -> None:
        """Report a call that worked."""
        self._succeed(model_id)
        self._tell("worked", model_id)

    def fail(self, model_id: str, error_class: ErrorClass, *, retry_after_s: float | None = None) -> None:
        """Report a call that failed."""
        self._fail(model_id, error_class, retry_after_s)
        self._tell("failed", model_id, error_class=error_class.value, retry_after_s=retry_after_s)

    def leave(self, model_id: str) -> None:
        """Report a call that says nothing about the model: somebody stopped it."""
        if self._leave(model_id):
            self._tell("left", model_id)

    def tell_open(self) -> None:
        """Tell the other replicas which circuits are open."""
        self._journal.tell_now(self._open)

    def _open(self) -> Event:
        now = self._clock()
        with self._lock:
            circuits = {
                name: (circuit.open_until.isoformat(), circuit.reason)
                for name, circuit in self._by_model.items()
                if circuit.open_until is not None and circuit.open_until > now
            }
        return {"kind": "circuits_open", "circuits": circuits}

    def _succeed(self, model_id: str) -> None:
        with self._lock:
            self._by_model[model_id] = after_success(self._find(model_id), now=self._clock())

    def _fail(self, model_id: str, error_class: ErrorClass, retry_after_s: float | None) -> None:
        with self._lock:
            circuit, now = self._find(model_id), self._clock()
            self._by_model[model_id] = after_failure(circuit, error_class, now=now, retry_after_s=retry_after_s)

    def _leave(self, model_id: str) -> bool:
        """Whether a trial ended by it."""
        with self._lock:
            circuit = self._find(model_id)
            if circuit.trial_since is None:
                return False
            self._by_model[model_id] = replace(circuit, trial_since=None)
            return True

    def _tell(self, what: str, model_id: str, **more: object) -> None:
        self._journal.tell({"kind": "circuit", "what": what, "model": model_id, **more})

    def _hear(self, event: Event, _by: str) -> None:
        model_id: str = event["model"]
        match event["what"]:
            case "worked":
                self._succeed(model_id)
            case "failed":
                self._fail(model_id, ErrorClass(event["error_class"]), event["retry_after_s"])
            case "trial":
                with self._lock:
                    self._by_model[model_id] = replace(self._find(model_id), trial_since=self._clock())
            case "left":
                self._leave(model_id)

    def _hear_open(self, event: Event, _by: str) -> None:
        with self._lock:
            for model_id, (until, reason) in event["circuits"].items():
                circuit = self._find(model_id)
                latest = max(datetime.fromisoformat(until), circuit.open_until or datetime.min)  # noqa: DTZ901 - naive UTC
                self._by_model[model_id] = replace(circuit, open_until=latest, reason=circuit.reason or reason)

    def _find(self, model_id: str) -> Circuit:
        return self._by_model.get(model_id) or Circuit()
