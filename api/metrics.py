"""`GET /metrics` for Prometheus: what core.costs.call_metrics has counted, and how things stand at this moment.

No row of the ledger is read for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from api.caller import bearer_of
from core.bootstrap import Services
from core.costs.limits import whom_words


async def metrics(request: Request, *, services: Services) -> Response:
    """Figures of everybody: they take a token with the scope admin, from loopback as well.

    A proxy on this machine makes every caller one from loopback.
    """
    await bearer_of(request, services, "admin")
    write, media_type = choose_encoder(request.headers.get("accept", ""))
    text = await asyncio.to_thread(partial(write, _Everything(services)))
    return Response(text, headers={"content-type": media_type})


class _Everything:
    """All families of one scrape."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """The counts of this process, then how things stand."""
        yield from self._services.metrics.registry.collect()
        yield from _circuits(self._services)
        yield from _work(self._services)
        yield from _budgets(self._services)
        yield from _replicas(self._services)


def _circuits(services: Services) -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "switchboard_circuit_open", "1 while a model is left alone after failures.", labels=["model"]
    )
    for model_id in services.registry.current().models:
        gauge.add_metric([model_id], int(services.circuit.state(model_id).open_until is not None))
    yield gauge


def _work(services: Services) -> Iterator[Metric]:
    running, waiting = len(services.engine.running_here()), services.set_runner.waiting()
    yield GaugeMetricFamily("switchboard_turns_running", "Turns being answered now.", value=running)
    yield GaugeMetricFamily("switchboard_set_answers_queued", "Answers of prompt sets not begun yet.", value=waiting)


def _replicas(services: Services) -> Iterator[Metric]:
    alive, journal = len(services.sharing.members.alive), services.sharing.journal
    yield GaugeMetricFamily("switchboard_replicas", "Replicas alive, as this one sees it.", value=alive)
    if journal is not None:
        told = "1 while budgets, limits and circuits are shared through Redis."
        yield GaugeMetricFamily("switchboard_redis_available", told, value=int(journal.available))


def _budgets(services: Services) -> Iterator[Metric]:
    labels = ["budget", "whom", "person", "period"]
    amount = GaugeMetricFamily("switchboard_budget_usd", "What may be spent in the running period.", labels=labels)
    spent = GaugeMetricFamily("switchboard_budget_spent_usd", "What of it is spent.", labels=labels)
    held = GaugeMetricFamily("switchboard_budget_held_usd", "What calls under way may take of it.", labels=labels)
    for standing in services.budgets.everybody():
        budget, balance = standing.budget, standing.balance
        whom = whom_words(budget.whom, services.budgets.people)
        values = [budget.id, whom, standing.user_id or "", budget.period]
        amount.add_metric(values, float(balance.amount_usd))
        spent.add_metric(values, float(balance.spent.usd))
        held.add_metric(values, float(balance.held_usd))
    yield from (amount, spent, held)
