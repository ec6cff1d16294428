"""Who calls: the bearer token of a request, what it may do, and the request's body within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from api.errors import ApiError
from core.accounts.tokens import Bearer, Scope, find_bearer, known_bearer, note_used
from core.bootstrap import Services

MOST_BODY_BYTES = 20_000_000
_LONGEST_PARAM = 200
# Above that the errors are not even looked at: of millions it would take minutes.
_MOST_ERRORS = 1_000
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
    if error.error_count() > _MOST_ERRORS:
        message = f"The body has {error.error_count():,} wrong or unknown fields."
        return ApiError(status=400, message=message, code="invalid_value")
    first = _most_telling(error.errors(include_url=False, include_context=False, include_input=False))
    if first["type"] == "json_invalid":
        deep = "recursion" in first["msg"]
        message = "The body is nested too deep." if deep else "The body is not valid JSON in UTF-8."
        return ApiError(status=400, message=message, code="invalid_json")
    param = ".".join(_place(first))[:_LONGEST_PARAM]
    if first["type"] == "extra_forbidden":
        message = f"{param} is not supported here. Leave it out."
        return ApiError(status=400, message=message, code="unsupported_parameter", param=param)
    # The rest are words of pydantic's, but for how it counts entries.
    message = first["msg"].removeprefix("Value error, ").replace(" after validation", "")
    return ApiError(status=400, message=f"{param or 'The body'}: {message}.", code="invalid_value", param=param or None)


def _most_telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """The first; of a field that may be this or that, what is wrong deepest within it: there it is what was meant."""
    place = _place(errors[0])
    of_it = [error for error in errors if _place(error)[: len(place)] == place]
    return max(of_it, key=lambda error: (len(error["loc"]), not error["type"].endswith("_type")))


def _place(error: ErrorDetails) -> list[str]:
    """Where a field is. The names of union branches in between are pydantic's; that of an unknown field is anything."""
    *within, last = error["loc"] or ("",)
    if error["type"] != "extra_forbidden":
        within.append(last)
    ours = [str(part) for part in within if isinstance(part, int) or _is_field(part)]
    return [*ours, str(last)] if error["type"] == "extra_forbidden" else ours


def _is_field(part: str) -> bool:
    return part.islower() and "[" not in part and part not in _BRANCHES
