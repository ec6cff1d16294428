"""Who calls: the bearer token of a request, what it may do, and the request's body within bounds."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api.errors import ApiError
from core.accounts.tokens import Bearer, Scope, find_bearer, known_bearer, note_used
from core.bootstrap import Services

MOST_BODY_BYTES = 20_000_000
_JSON = "application/json"

_BRANCHES = frozenset({"str", "list"})

T = TypeVar("T", bound=BaseModel)


async def bearer_of(request: Request, services: Services, *scopes: Scope) -> Bearer:
    """The token of a request and its owner. Raises ApiError: 401 without a token that works, 403 without any scope."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise _unknown("Send an API token: Authorization: Bearer sb-... Make one on the Settings page.")
    bearer = known_bearer(services.database, text.strip())
    if bearer is None:
        bearer = await asyncio.to_thread(partial(_find, services, text.strip()))
    if bearer is None:
        raise _unknown("This token is unknown, revoked or expired. Make one on the Settings page.")
    if not bearer.token.scopes & set(scopes):
        raise ApiError(
            status=403, message=f"This token lacks the scope {' or '.join(scopes)}.", code="insufficient_scope"
        )
    return bearer


async def body_as(request: Request, shape: type[T]) -> T:
    """The JSON body of a request.

    Raises ApiError: 415 for another kind of content, 413 above 20 MB, 400 for what is no JSON, is nested too deep or
    has wrong fields.
    """
    kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if kind != _JSON:
        message = f"The body has to be JSON: send the header content-type: {_JSON}."
        raise ApiError(status=415, message=message, code="unsupported_media_type")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise ApiError(status=413, message="The request is larger than 20 MB.", code="request_too_large")
    try:
        return shape.model_validate_json(bytes(body))
    except ValidationError as error:
        raise _wrong(error) from None


def _find(services: Services, text: str) -> Bearer | None:
    bearer = find_bearer(services.database, text)
    if bearer is not None:
        note_used(services.database, bearer.token)
    return bearer


def _unknown(message: str) -> ApiError:
    return ApiError(
        status=401, message=message, code="invalid_api_key", headers={"www-authenticate": 'Bearer realm="Switchboard"'}
    )


def _wrong(error: ValidationError) -> ApiError:
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        deep = "recursion" in first["msg"]
        message = "The body is nested too deep." if deep else "The body is not valid JSON in UTF-8."
        return ApiError(status=400, message=message, code="invalid_json")
    # The names of union branches are pydantic's, not the caller's.
    places = [str(place) for place in first["loc"] if isinstance(place, int) or place.islower()]
    param = ".".join(place for place in places if "[" not in place and place not in _BRANCHES)
    if first["type"] == "extra_forbidden":
        message = f"{param[:200]} is not supported here. Leave it out."
        return ApiError(status=400, message=message, code="unsupported_parameter", param=param[:200])
    # The rest are words of pydantic's, but for how it counts entries.
    message = first["msg"].removeprefix("Value error, ").replace(" after validation", "")
    return ApiError(status=400, message=f"{param or 'The body'}: {message}.", code="invalid_value", param=param or None)
