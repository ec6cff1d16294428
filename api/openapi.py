"""`GET /api/openapi.json`: the API described in OpenAPI 3.1, from the shapes that requests are read with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.completion_body import CompletionBody
from api.shapes import Completion, Error, Health, Model, ModelList, Status, UsageReport
from core.costs.reports.explorer import MEASURES, TIMES
from core.costs.reports.statements import GROUPS
from core.costs.usage_period import PERIODS
from core.costs.usage_url import NAMES

Json = dict[str, Any]

_SHAPES = (CompletionBody, Completion, Error, Health, Model, ModelList, Status, UsageReport)
_PLACE = "#/components/schemas/{model}"
_JSON, _EVENTS, _CSV, _TEXT = "application/json", "text/event-stream", "text/csv", "text/plain"
_WORDS: Mapping[int, str] = {
    400: "Something in the request is wrong: `param` names it.",
    401: "No token, or one that does not work.",
    403: "The token may not do this.",
    404: "There is no such model for this token.",
    413: "The body is larger than 20 MB.",
    415: "The body is not JSON.",
    429: "A rate limit or a budget is used up; retry-after says when to come back, where that is known.",
    500: "Something went wrong inside Switchboard.",
    502: "The model's provider failed.",
    503: "The model or Switchboard cannot be asked now.",
    504: "The model's provider did not answer in time.",
}
_ABOUT = "The models, budgets and ledger of this installation, in OpenAI's wire format. docs/api.md has examples."


async def document(_request: Request) -> Response:
    """The document; no sign-in."""
    return JSONResponse(openapi(), headers={"cache-control": "max-age=300"})


@cache
def openapi() -> Json:
    """The API as an OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Switchboard", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": {
            "/v1/chat/completions": {"post": _complete()},
            "/v1/models": {"get": _get("listModels", "The models that the token may call.", _json(ModelList), ())},
            "/v1/models/{model_id}": {"get": _of_model("showModel", "One model.", Model)},
            "/api/models/{model_id}/status": {"get": _of_model("showStatus", "How a model has been doing.", Status)},
            "/api/usage": {"get": _usage()},
            "/api/health": {"get": _health()},
            "/metrics": {"get": _get("metrics", "Prometheus; scope admin.", {_TEXT: {"schema": _string()}}, (403,))},
        },
        "components": {
            "schemas": models_json_schema([(shape, "validation") for shape in _SHAPES], ref_template=_PLACE)[1][
                "$defs"
            ],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "sb-..."}},
        },
    }


def _complete() -> Json:
    receipt = {
        "x-switchboard-turn": _header("The id of the turn."),
        "x-switchboard-attempts": _header("How many calls to models there were, when that is known."),
        "x-switchboard-cost-usd": _header("What it cost, exact; not for streams and not for an unknown price."),
        "x-switchboard-stopped": _header("`budget`: it used up a budget on its way and ends there; not for streams."),
        "x-ratelimit-limit-requests": _header("What the token takes a minute, if it has a limit."),
        "x-ratelimit-remaining-requests": _header("What is left of that."),
    }
    content = {**_json(Completion), _EVENTS: {"schema": _string("Chunks, comments while nothing comes, and [DONE].")}}
    failures = _errors((400, 401, 403, 404, 413, 415, 429, 500, 502, 503, 504))
    return {
        "operationId": "createChatCompletion",
        "summary": "An answer, whole or streamed; scope chat.",
        "requestBody": {"required": True, "content": _json(CompletionBody)},
        "responses": {"200": {"description": "The answer.", "headers": receipt, "content": content}, **failures},
    }


def _of_model(name: str, summary: str, shape: type[BaseModel]) -> Json:
    # An id may have slashes in it, so its schema allows them.
    parameter = {"name": "model_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {**_get(name, summary, _json(shape), (404,)), "parameters": [parameter]}


def _usage() -> Json:
    by = "|".join((*TIMES, *GROUPS))
    choices: Mapping[str, Sequence[str]] = {"period": PERIODS, "measure": tuple(MEASURES), "format": ("json", "csv")}
    parameters = [_query(name, {"type": "string", "enum": list(values)}) for name, values in choices.items()]
    parameters += [_query(name, {"type": "string", "format": "date"}) for name in ("from", "to")]
    parameters += [
        _query(name, {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 200})
        for name in NAMES.values()
    ]
    parameters += [
        _query("by", {"type": "string", "pattern": f"^({by})(,({by}))?$", "default": "model"}),
        _query("zone", {"type": "string", "default": "UTC"}),
        _query("page", {"type": "integer", "minimum": 1, "maximum": 9_999_999, "default": 1}),
    ]
    content = {**_json(UsageReport), _CSV: {"schema": _string()}}
    told = _get("reportUsage", "What calls took; scope usage, or admin for everybody's.", content, (400, 403))
    return {**told, "parameters": parameters}


def _health() -> Json:
    return {
        "operationId": "health",
        "summary": "Whether calls can be served. No token is needed.",
        "security": [],
        "responses": {
            "200": {"description": "They can.", "content": _json(Health)},
            "503": {"description": "They cannot: the parts say why.", "content": _json(Health)},
        },
    }


def _get(name: str, summary: str, content: Json, statuses: Sequence[int]) -> Json:
    responses = {"200": {"description": "It.", "content": content}, **_errors((401, *statuses, 500))}
    return {"operationId": name, "summary": summary, "responses": responses}


def _errors(statuses: Sequence[int]) -> Json:
    return {str(status): {"description": _WORDS[status], "content": _json(Error)} for status in statuses}


def _json(shape: type[BaseModel]) -> Json:
    return {_JSON: {"schema": {"$ref": _PLACE.format(model=shape.__name__)}}}


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _header(told: str) -> Json:
    return {"description": told, "schema": _string()}


def _string(told: str | None = None) -> Json:
    return {"type": "string"} if told is None else {"type": "string", "description": told}
