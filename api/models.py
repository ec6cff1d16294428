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
from core.accounts.tokens import SCOPES, Bearer
from core.bootstrap import Services
from core.catalog.models import BUCKETS, ModelSpec, Prices


async def list_models(request: Request, *, services: Services) -> Response:
    """Every model that the token may call."""
    bearer = await bearer_of(request, services, *SCOPES)
    return JSONResponse({"object": "list", "data": await asyncio.to_thread(partial(_all, services, bearer))})


async def show_model(request: Request, *, services: Services) -> Response:
    """One of them. Raises ApiError (404)."""
    bearer = await bearer_of(request, services, *SCOPES)
    return JSONResponse(await asyncio.to_thread(partial(_one, services, bearer, request.path_params["model_id"])))


def find_offered(services: Services, bearer: Bearer, model_id: str) -> ModelSpec:
    """A model that the token may call. Raises ApiError (404)."""
    model = _callable(services, bearer).get(model_id)
    if model is None:
        message = f"There is no model {model_id[:100]!r} for this token. GET /v1/models lists those there are."
        raise ApiError(status=404, message=message, code="model_not_found", param="model")
    return model


def _all(services: Services, bearer: Bearer) -> list[dict[str, Any]]:
    return [_model(services, model) for model in _callable(services, bearer).values()]


def _one(services: Services, bearer: Bearer, model_id: str) -> dict[str, Any]:
    return _model(services, find_offered(services, bearer, model_id))


def _callable(services: Services, bearer: Bearer) -> dict[str, ModelSpec]:
    allowed = bearer.token.models
    offered = services.offered_models(bearer.user)
    return {name: model for name, model in offered.items() if allowed is None or name in allowed}


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
