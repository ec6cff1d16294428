"""How a model has been doing: figures in, a state and its reason in plain words out. Pure rules.

The figures of the field (PRODUCT.md, "Status"): green from 98 % success over 30 minutes; amber below, while cooling, or
when the p95 of the time to the first token is above twice what that p95 usually is; red after 3 failures in a row or a
failed probe; grey when nothing was tried for 10 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

State = Literal["healthy", "slow", "down", "unknown", "starting", "no_key"]

STALE = timedelta(minutes=10)
SAMPLES_FOR_PERCENTILES = 20
HEALTHY_SHARE = 0.98

_FAILURES_IN_A_ROW = 3
_TIMES_USUAL = 2


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a stretch of time that say something about the model; refusals by rate limit (429) apart.

    What says nothing is not in here: a call that Switchboard's own stop ended, one that a person stopped before the
    first token, and one refused for what it asked (400, too long, content policy).
    """

    worked: int = 0
    failed: int = 0
    limited: int = 0

    @property
    def judged(self) -> int:
        """How many calls the success share is of."""
        return self.worked + self.failed

    @property
    def share(self) -> float | None:
        """The share that worked, 0 to 1; None when there is nothing to divide by."""
        return self.worked / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """p50 and p95 of `samples` values; both None with fewer than 20, which is "too few"."""

    samples: int = 0
    p50: float | None = None
    p95: float | None = None

    @classmethod
    def of(cls, samples: int, p50: float | None, p95: float | None) -> Percentiles:
        """The percentiles, or "too few"."""
        enough = samples >= SAMPLES_FOR_PERCENTILES
        return cls(samples, p50 if enough else None, p95 if enough else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the ledger says about one model. Times are naive UTC.

    `usual_p95_ms` is the median, over the hours of 7 days before these 30 minutes that have 20 samples, of each hour's
    p95 time to the first token: like is compared with like, because a p95 is above twice a plain median for most
    providers on most days. `tokens_per_second` is the p50 and p95 over 24 h.
    """

    five_minutes: Calls = Calls()
    half_hour: Calls = Calls()
    day: Calls = Calls()
    limited_lately: int = 0
    failures_in_a_row: int = 0
    first_token_half_hour_ms: Percentiles = Percentiles()
    first_token_day_ms: Percentiles = Percentiles()
    usual_p95_ms: float | None = None
    tokens_per_second: Percentiles = Percentiles()
    last_at: datetime | None = None
    last_worked_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    requests_last_minute: int = 0
    tokens_last_minute: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """The newest probe of a model: when, and what was wrong in plain words (None: it answered)."""

    at: datetime
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Cooling:
    """A circuit that is open: until when (naive UTC), and why in a word or two ("429")."""

    until: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Headroom:
    """What is left of a model's limits; None where nobody names a limit.

    By our own count of the running minute; `reported`: some of it is what the provider said with its last answer, of
    limits that may be for another time than a minute.
    """

    requests_left: int | None
    requests_limit: int | None
    tokens_left: int | None
    tokens_limit: int | None
    reported: bool = False


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A state and its reason in plain words, and the figures behind it.

    `first_token_ms` is the median of 30 minutes, else of 24 h; None with too few samples. `cooling` is why a model is
    "slow", if that is why: its time is UTC, so whoever draws it says it on the viewer's clock.
    """

    state: State
    reason: str
    first_token_ms: float | None = None
    cooling: Cooling | None = None
    figures: Figures = field(default_factory=Figures)
    headroom: Headroom | None = None


class Limits(Protocol):
    """What a model's provider allows per minute."""

    @property
    def rpm_limit(self) -> int | None:
        """Requests."""

    @property
    def tpm_limit(self) -> int | None:
        """Tokens."""


def judge(
    figures: Figures, *, now: datetime, cooling: Cooling | None = None, probe: Probe | None = None
) -> ModelStatus:
    """The status that follows from a model's calls, its circuit and its newest probe.

    Calls that only ever met the rate limit are no failures, but no health either: they are amber.
    """
    cooling = cooling if cooling is not None and cooling.until > now else None
    state, reason = _state(figures, now=now, cooling=cooling, probe=_fresh(probe, figures, now=now))
    median_ms = figures.first_token_half_hour_ms.p50 or figures.first_token_day_ms.p50
    return ModelStatus(state, reason, median_ms, cooling if state == "slow" else None, figures)


def headroom(figures: Figures, limits: Limits, *, reported: Headroom | None = None) -> Headroom | None:
    """What is left of the limits; None for a model without limits.

    What the provider reported goes before our own count of the running minute. That one is from the ledger, so a call
    that is still being answered is not in it yet.
    """
    requests = _left(limits.rpm_limit, figures.requests_last_minute), limits.rpm_limit
    tokens = _left(limits.tpm_limit, figures.tokens_last_minute), limits.tpm_limit
    if reported is not None and reported.requests_left is not None:
        requests = reported.requests_left, reported.requests_limit
    if reported is not None and reported.tokens_left is not None:
        tokens = reported.tokens_left, reported.tokens_limit
    if requests[0] is None and tokens[0] is None:
        return None
    return Headroom(*requests, *tokens, reported=reported is not None)


def first_sentence(text: str) -> str:
    """The sentence that says what happened, without what was kept and what to do next."""
    return text.partition(". ")[0].removesuffix(".")


def _state(figures: Figures, *, now: datetime, cooling: Cooling | None, probe: Probe | None) -> tuple[State, str]:
    called_lately = figures.last_at is not None and now - figures.last_at <= STALE
    if probe is not None and probe.problem:
        return "down", f"down: {first_sentence(probe.problem)}"
    if called_lately and figures.failures_in_a_row >= _FAILURES_IN_A_ROW:
        return "down", f"down: {first_sentence(figures.last_error or 'the last calls failed')}"
    if cooling is not None:
        return "slow", f"cooling ({cooling.because})"
    if not called_lately and probe is None:
        return "unknown", "not tried lately"
    return _graded(figures)


def _graded(figures: Figures) -> tuple[State, str]:
    calls = figures.half_hour
    if calls.share is not None and calls.share < HEALTHY_SHARE:
        return "slow", f"{calls.worked} of {calls.judged} calls worked in 30 minutes"
    if figures.limited_lately and not calls.judged:
        refused = "1 call" if figures.limited_lately == 1 else f"{figures.limited_lately} calls"
        return "slow", f"over its rate limit, {refused} refused in 10 minutes"
    p95, usual = figures.first_token_half_hour_ms.p95, figures.usual_p95_ms
    if p95 is not None and usual is not None and p95 > _TIMES_USUAL * usual:
        return "slow", f"slow: 1 in 20 first tokens takes {p95 / 1000:.1f} s, usually {usual / 1000:.1f} s"
    return "healthy", "healthy"


def _fresh(probe: Probe | None, figures: Figures, *, now: datetime) -> Probe | None:
    """The probe while it says something: not for longer than a call does, and not after a call that worked."""
    if probe is None or now - probe.at > STALE:
        return None
    overtaken = figures.last_worked_at is not None and figures.last_worked_at > probe.at
    return None if overtaken else probe


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
