"""`GET /v1/models`: the models that a token may call, in OpenAI's list shape with what Switchboard knows of them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.caller import bearer_of
from api.completion_answer import exact
from api.errors import ApiError
from core.accounts.tokens import Bearer
from core.bootstrap import Services
from core.catalog.models import BUCKETS, ModelSpec, Prices


async def list_models(request: Request, *, services: Services) -> Response:
    """Every model that the token may call."""
    bearer = await bearer_of(request, services, "chat")
    found = await asyncio.to_thread(partial(_callable, services, bearer))
    return JSONResponse({"object": "list", "data": list(found.values())})


async def show_model(request: Request, *, services: Services) -> Response:
    """One of them. Raises ApiError (404)."""
    bearer = await bearer_of(request, services, "chat")
    model_id = request.path_params["model_id"]
    found = await asyncio.to_thread(partial(_callable, services, bearer, model_id))
    if model_id not in found:
        message = f"There is no model {model_id[:100]!r} for this token. GET /v1/models lists those there are."
        raise ApiError(status=404, message=message, code="model_not_found", param="model")
    return JSONResponse(found[model_id])


def _callable(services: Services, bearer: Bearer, only: str | None = None) -> dict[str, dict[str, Any]]:
    allowed = bearer.token.models
    return {
        model_id: _model(services, model)
        for model_id, model in services.offered_models(bearer.user).items()
        if (allowed is None or model_id in allowed) and only in {None, model_id}
    }


def _model(services: Services, model: ModelSpec) -> dict[str, Any]:
    status = services.model_status(model)
    return {
        "id": model.id,
        "object": "model",
        # Nobody says when a model was made; clients want a number.
        "created": 0,
        "owned_by": model.provider.id,
        "name": model.label,
        "context_window": model.context_tokens,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": sorted(model.capabilities),
        "use_cases": list(model.use_cases),
        "prices_usd_per_million_tokens": _prices(model.prices),
        "status": {"state": status.state, "reason": status.reason, "first_token_ms": status.first_token_ms},
    }


def _prices(prices: Prices | None) -> dict[str, str] | None:
    """Exact, as text; None where nobody knows. `request` is dollars per call."""
    if prices is None:
        return None
    return {bucket: exact(price) for bucket in BUCKETS if (price := getattr(prices, bucket)) is not None}
