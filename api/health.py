"""`GET /api/health`: whether calls can be served, for load balancers and watchdogs."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.bootstrap import Services
from core.readiness import lacks_key
from core.store.sql import load_queries

log = logging.getLogger(__name__)

_SQL = load_queries("metrics")
# Before whoever asks gives up (4 s in deploy/Dockerfile): a server that is out of reach answers a look after ten.
_WITHIN_S = 3.0


async def health(_request: Request, *, services: Services) -> Response:
    """200, or 503 when no call can be served; the parts say what is wrong. No sign-in, and nothing else is told."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            status, parts = await asyncio.to_thread(partial(_look, services))
    except TimeoutError:
        status, parts = "unavailable", {"store": "unavailable"}
    code = 503 if status in {"unavailable", "draining"} else 200
    return JSONResponse({"status": status, **parts}, code, {"cache-control": "no-store"})


def _look(services: Services) -> tuple[str, dict[str, str]]:
    local = services.local_model
    parts = {
        "store": _store(services),
        "engine": "ok" if services.engine.serving() else "unavailable",
        "local_model": "off" if local is None else _local(local.status().state),
        # Without Redis a replica serves, on counters of its own.
        "redis": services.sharing.state,
    }
    if services.engine.draining:
        # Running answers come to their end; whoever comes anew belongs elsewhere.
        return "draining", {**parts, "engine": "draining"}
    if "unavailable" in {parts["store"], parts["engine"]}:
        return "unavailable", parts
    if parts["local_model"] == "unavailable":
        # The small model that ships with the app may be gone: only where nothing else can be asked is that the end.
        return ("degraded" if _has_others(services) else "unavailable"), parts
    return "ok", parts


def _has_others(services: Services) -> bool:
    models = services.registry.current().models.values()
    return any(
        model.enabled and model.provider.kind != "local" and not lacks_key(model, services.keys) for model in models
    )


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
