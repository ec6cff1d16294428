"""What calls to models came to in this process, counted as they end, for Prometheus to ask for.

Nothing here is read from the store: asking costs the same however long the ledger is. Counts begin with the process, as
Prometheus expects of counters, and every replica has its own. Sums of money are floats: the ledger has the exact ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NoReturn

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from core.costs.ledger import OUT_OF_MONEY, Attempt
from core.providers.events import Usage

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
# A loop that is late by a tenth of a second makes every stream on it stutter.
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
_LAG_EVERY_S = 1.0
_ENDED_BY_SOMEBODY = frozenset({"stopped", "interrupted", OUT_OF_MONEY})


class CallMetrics:
    """Counters and histograms of one process, in a registry of their own. Safe from any thread."""

    def __init__(self) -> None:
        # A second series for each, which Prometheus does not need.
        disable_created_metrics()  # type: ignore[no-untyped-call] # of the library
        self.registry = CollectorRegistry()
        self._turns = self._counter("turns", "Turns by source and how they ended.", "source", "status")
        self._attempts = self._counter("attempts", "Calls by model and how they ended: ok, or why not.", *_BY_STATUS)
        self._tokens = self._counter(
            "tokens", "Tokens: input includes cached, output includes reasoning.", "model", "kind"
        )
        self._cost = self._counter("cost_usd", "US dollars, without unpriced calls.", "model")
        self._unpriced = self._counter("unpriced_attempts", "Calls whose price nobody knows.", "model")
        self._first_token = self._histogram("first_token_seconds", "From the call to its first token.", _SECONDS)
        self._duration = self._histogram("attempt_duration_seconds", "From the call to its end.", _SECONDS)
        self._lag = self._histogram("event_loop_lag_seconds", "How late a loop was.", _LAG_SECONDS, label="loop")

    def count(self, attempts: Sequence[Attempt]) -> None:
        """Count the calls of a turn that has ended, oldest first."""
        for attempt in attempts:
            self._count(attempt)
        if attempts:
            last = attempts[-1]
            self._turns.labels(last.source, _ending(last.status)).inc()

    def late(self, loop: str, seconds: float) -> None:
        """An event loop was so late with something that was due."""
        self._lag.labels(loop).observe(seconds)

    def _count(self, attempt: Attempt) -> None:
        model = attempt.served_model or attempt.requested_model
        self._attempts.labels(model, attempt.status).inc()
        for kind, tokens in _kinds(attempt.usage):
            self._tokens.labels(model, kind).inc(tokens)
        if attempt.cost.cost_usd is None:
            self._unpriced.labels(model).inc()
        else:
            self._cost.labels(model).inc(float(attempt.cost.cost_usd))
        if attempt.cached:
            return
        self._duration.labels(model).observe((attempt.ended_at - attempt.started_at).total_seconds())
        if attempt.first_token_at is not None:
            self._first_token.labels(model).observe((attempt.first_token_at - attempt.started_at).total_seconds())

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"switchboard_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: Sequence[float], *, label: str = "model") -> Histogram:
        return Histogram(f"switchboard_{name}", told, (label,), buckets=buckets, registry=self.registry)


async def watch_lag(late: Callable[[float], None], *, every_s: float = _LAG_EVERY_S) -> NoReturn:
    """Tell `late` every second how late the running loop is, in seconds, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every_s
        await asyncio.sleep(every_s)
        late(max(0.0, loop.time() - due))


_BY_STATUS = ("model", "status")


def _kinds(usage: Usage) -> tuple[tuple[str, int], ...]:
    return (
        ("input", usage.input_tokens),
        ("cached_input", usage.cached_input_tokens),
        ("output", usage.output_tokens),
        ("reasoning", usage.reasoning_tokens),
    )


def _ending(status: str) -> str:
    if status == "ok":
        return "completed"
    return status if status in _ENDED_BY_SOMEBODY else "failed"
