"""The routes of the HTTP API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api import completions, health, local, metrics, model_status, models, openapi, usage
from api.errors import ApiError, answering_errors
from core.bootstrap import Services
from core.costs.token_use import TokenUse
from core.shared.journal import ALONE


def api_routes(services: Services) -> list[BaseRoute]:
    """Everything under /v1, /api and /metrics; what is not there is a 404 in the same shape as every other error."""
    use = TokenUse(journal=services.sharing.journal or ALONE)
    return [
        _route("/v1/chat/completions", partial(completions.complete, services=services, use=use), "POST"),
        _route("/v1/models", partial(models.list_models, services=services)),
        _route("/v1/models/{model_id:path}", partial(models.show_model, services=services)),
        _route("/api/models/{model_id:path}/status", partial(model_status.show_status, services=services)),
        _route("/api/openapi.json", openapi.document),
        _route("/api/health", partial(health.health, services=services)),
        _route("/api/usage", partial(usage.report, services=services)),
        _route(local.PATH, partial(local.tokens, services=services), "POST"),
        _route("/metrics", partial(metrics.metrics, services=services)),
        Route("/chat/completions", answering_errors(_without_v1), methods=_METHODS),
        Route("/v1/{rest:path}", answering_errors(_missing), methods=_METHODS),
        Route("/api/{rest:path}", answering_errors(_missing), methods=_METHODS),
    ]


_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def _route(path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str = "GET") -> Route:
    allowed = {"GET", "HEAD"} if method == "GET" else {method}

    async def run(request: Request) -> Response:
        if request.method not in allowed:
            raise ApiError(
                status=405,
                message=f"{path} takes {method}, not {request.method}.",
                code="method_not_allowed",
                headers={"allow": ", ".join(sorted(allowed))},
            )
        return await endpoint(request)

    return Route(path, answering_errors(run), methods=_METHODS)


async def _missing(request: Request) -> Response:
    raise ApiError(status=404, message=f"There is nothing at {request.url.path[:200]}.", code="not_found")


async def _without_v1(request: Request) -> Response:
    message = f"The API is under /v1: let the base URL end with it ({request.base_url}v1)."
    raise ApiError(status=404, message=message, code="not_found")
