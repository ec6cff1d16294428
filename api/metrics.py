"""`GET /metrics` in Prometheus' text format, and `GET /api/health`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.caller import bearer_of
from api.completion_answer import exact
from core.bootstrap import Services
from core.store.database import Row
from core.store.sql import load_queries

log = logging.getLogger(__name__)

Sample = tuple[Mapping[str, str], object]
_SQL = load_queries("metrics")
# Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_TOKENS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")
_HEALTHY_WITHIN_S = 5.0


async def metrics(request: Request, *, services: Services) -> Response:
    """Figures of everybody: they take a token with the scope admin, from loopback as well.

    A proxy on this machine makes every caller one from loopback.
    """
    await bearer_of(request, services, "admin")
    text = await asyncio.to_thread(partial(_exposition, services))
    return Response(text, headers={"content-type": _MEDIA_TYPE})


async def health(_request: Request, *, services: Services) -> Response:
    """Whether calls can be served: 200, or 503 naming what cannot. No sign-in, and nothing else is told."""
    try:
        async with asyncio.timeout(_HEALTHY_WITHIN_S):
            parts = await asyncio.to_thread(partial(_parts, services))
    except TimeoutError:
        parts = {"store": "unavailable"}
    # Without Redis a replica serves, on counters of its own.
    well = all(state in {"ok", "off", "starting"} for part, state in parts.items() if part != "redis")
    status = "draining" if services.engine.draining else "ok" if well else "unavailable"
    return JSONResponse({"status": status, **parts}, 200 if status == "ok" else 503, {"cache-control": "no-store"})


def _parts(services: Services) -> dict[str, str]:
    local = services.local_model
    return {
        "store": _store(services),
        "engine": "ok" if services.engine.serving() else "draining" if services.engine.draining else "unavailable",
        "redis": services.sharing.state,
        "local_model": "off" if local is None else _local(local.status().state),
    }


def _local(state: str) -> str:
    return {"ready": "ok", "starting": "starting"}.get(state, "unavailable")


def _store(services: Services) -> str:
    try:
        services.database.fetch_one(_SQL["reachable"])
    except Exception:
        # Whatever the reason, the caller hears one word of it and the log the rest.
        log.exception("the store does not answer")
        return "unavailable"
    return "ok"


def _exposition(services: Services) -> str:
    with services.database.cursor() as cur:
        turns = cur.fetch_all(_SQL["turns_by_status"])
        attempts = cur.fetch_all(_SQL["attempts_by_model"])
        taken = cur.fetch_all(_SQL["taken_by_model"])
    return "".join((_calls(turns, attempts), _taken(taken), _now(services)))


def _calls(turns: Sequence[Row], attempts: Sequence[Row]) -> str:
    by_source = [({"source": row["source"], "status": row["status"]}, row["turns"]) for row in turns]
    by_model = [({"model": row["model"], "status": row["status"]}, row["attempts"]) for row in attempts]
    return _family("turns_total", "counter", "Turns by source and status.", by_source) + _family(
        "attempts_total", "counter", "Calls to models by model and how they ended.", by_model
    )


def _taken(rows: Sequence[Row]) -> str:
    tokens = [
        ({"model": row["model"], "kind": kind.removesuffix("_tokens")}, row[kind]) for row in rows for kind in _TOKENS
    ]
    cost = [({"model": row["model"]}, exact(row["cost_usd"])) for row in rows]
    unpriced = [({"model": row["model"]}, row["unpriced"]) for row in rows]
    return (
        _family("tokens_total", "counter", "Tokens: input includes cached, output includes reasoning.", tokens)
        # A gauge: a price that is corrected may lower it.
        + _family("cost_usd", "gauge", "US dollars so far, as corrected, without unpriced calls.", cost)
        + _family("unpriced_attempts", "gauge", "Calls whose price nobody knows.", unpriced)
    )


def _now(services: Services) -> str:
    models = services.registry.current().models
    circuits = [({"model": name}, int(services.circuit.state(name).open_until is not None)) for name in models]
    running: list[Sample] = [({}, len(services.engine.running_here()))]
    return (
        _family("circuit_open", "gauge", "1 while a model is left alone after failures.", circuits)
        + _family("turns_running", "gauge", "Turns being answered by this process now.", running)
        + _replicas(services)
    )


def _replicas(services: Services) -> str:
    alive: list[Sample] = [({}, len(services.sharing.members.alive))]
    redis: list[Sample] = [({}, int(services.sharing.state == "ok"))] if services.sharing.journal else []
    return _family("replicas", "gauge", "Replicas alive as this one sees it.", alive) + _family(
        "redis_available", "gauge", "1 while counters are shared through Redis.", redis
    )


def _family(name: str, kind: str, told: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP switchboard_{name} {told}", f"# TYPE switchboard_{name} {kind}"]
    lines += [f"switchboard_{name}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
