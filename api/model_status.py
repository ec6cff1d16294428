"""`GET /api/models/{id}/status`: how a model has been doing, with the figures behind it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.caller import bearer_of
from api.models import find_offered
from core.accounts.tokens import SCOPES, Bearer
from core.bootstrap import Services
from core.catalog.health import Calls, Headroom, ModelStatus, Percentiles


async def show_status(request: Request, *, services: Services) -> Response:
    """The status of a model that the token may call. Raises ApiError (404)."""
    bearer = await bearer_of(request, services, *SCOPES)
    model_id = request.path_params["model_id"]
    return JSONResponse(await asyncio.to_thread(partial(_status, services, bearer, model_id)))


def _status(services: Services, bearer: Bearer, model_id: str) -> dict[str, Any]:
    model = find_offered(services, bearer, model_id)
    status = services.model_status(model)
    # From the circuit itself: the status keeps it only where it is the reason.
    cooling = services.circuit.state(model.id)
    return {"id": model.id, "object": "model.status", **told(status), "cooling_until": _time(cooling.open_until)}


def told(status: ModelStatus) -> dict[str, Any]:
    """A status as JSON; null for what is not known, percentiles with fewer than 20 samples among it."""
    figures = status.figures
    return {
        "state": status.state,
        "reason": status.reason,
        "calls": {
            "five_minutes": _calls(figures.five_minutes),
            "half_hour": _calls(figures.half_hour),
            "day": _calls(figures.day),
        },
        "first_token_ms": {
            "half_hour": _percentiles(figures.first_token_half_hour_ms),
            "day": _percentiles(figures.first_token_day_ms),
        },
        "tokens_per_second": _percentiles(figures.tokens_per_second),
        "last_call_at": _time(figures.last_at),
        "last_error": figures.last_error,
        "last_error_at": _time(figures.last_error_at),
        "headroom": _headroom(status.headroom),
    }


def _calls(calls: Calls) -> dict[str, Any]:
    return {"worked": calls.worked, "failed": calls.failed, "limited": calls.limited, "success_share": calls.share}


def _percentiles(values: Percentiles) -> dict[str, Any]:
    return {"samples": values.samples, "p50": values.p50, "p95": values.p95}


def _headroom(left: Headroom | None) -> dict[str, Any] | None:
    if left is None:
        return None
    return {
        "requests_left": left.requests_left,
        "requests_limit": left.requests_limit,
        "tokens_left": left.tokens_left,
        "tokens_limit": left.tokens_limit,
        "reported_by_provider": left.reported,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat()}Z"
