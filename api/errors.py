"""Errors as OpenAI's clients understand them: a status code and `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from api.draining import sending_on
from core.costs.refusals import KEPT
from core.errors import (
    ErrorClass,
    LimitReached,
    NotFound,
    ProviderError,
    StoreError,
    SwitchboardError,
    TurnRefused,
    UsageFilterError,
)

Endpoint = Callable[[Request], Awaitable[Response]]

log = logging.getLogger(__name__)

_MOST_DETAIL = 500
# Nginx's number for a caller that has left: nobody reads it.
_CALLER_LEFT = 499
_STOPPING = "stopping"
# The caller's key is ours: what a provider says against ours is a failure behind us and never a 401.
_PROVIDER: Mapping[ErrorClass, tuple[int, str]] = {
    ErrorClass.CONNECTION: (502, "provider_unreachable"),
    ErrorClass.AUTHENTICATION: (502, "provider_authentication"),
    ErrorClass.PERMISSION: (502, "provider_permission"),
    ErrorClass.NOT_FOUND: (502, "provider_model_not_found"),
    ErrorClass.RATE_LIMIT: (429, "rate_limit_exceeded"),
    ErrorClass.BAD_REQUEST: (400, "provider_refused"),
    ErrorClass.CONTEXT_LENGTH: (400, "context_length_exceeded"),
    ErrorClass.CONTENT_POLICY: (400, "content_policy_violation"),
    ErrorClass.SERVER: (502, "provider_error"),
    ErrorClass.STALL: (504, "provider_timeout"),
    ErrorClass.TRUNCATED: (502, "provider_broke_off"),
    ErrorClass.STARTING: (503, "model_starting"),
    ErrorClass.INTERNAL: (500, "internal_error"),
}
_REFUSED: Mapping[str, tuple[int, str]] = {
    "unknown_model": (404, "model_not_found"),
    "disabled": (403, "model_not_allowed"),
    "no_key": (503, "model_without_key"),
    "window": (400, "context_length_exceeded"),
    "stopping": (503, _STOPPING),
    "budget": (429, "insufficient_quota"),
    "rate_limit": (429, "rate_limit_exceeded"),
}
_OTHERS: Mapping[type, tuple[int, str]] = {
    StoreError: (503, "store_unavailable"),
    NotFound: (404, "not_found"),
}
# The field of a request that asks for what a model cannot do, or is too long for it.
_FIELDS: Mapping[str, str] = {
    "vision": "messages",
    "tools": "tools",
    "json": "response_format",
    "window": "messages",
    "empty": "messages",
    "too_long": "messages",
}
# As OpenAI names it. What else a provider refuses, it says in words.
_MESSAGES_AT_FAULT = frozenset({ErrorClass.CONTEXT_LENGTH, ErrorClass.CONTENT_POLICY})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiError(Exception):
    """An answer that is an error. `param` is the field of the request that is wrong."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The body, in OpenAI's shape."""
        said = {"message": self.message, "type": _type_of(self), "param": self.param, "code": self.code}
        return {"error": said}

    def response(self, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """The response; `headers` are sent beside its own."""
        return JSONResponse(self.body(), self.status, {**(headers or {}), **self.headers})


def from_error(error: SwitchboardError) -> ApiError:
    """The answer to an error of ours, without what only the chat page means ("your message is kept in the box")."""
    match error:
        case LimitReached():
            status, code = _REFUSED.get(error.code, (429, error.code))
            next_step = error.next_step.removesuffix(KEPT) if error.code == "rate_limit" else ""
            message = f"{error.user_message} {next_step}"
            return ApiError(status=status, message=message.strip(), code=code, headers=retry_after(error.retry_after_s))
        case TurnRefused():
            status, code = _REFUSED.get(error.code, (400, error.code))
            param = "model" if code.startswith("model_") else _FIELDS.get(error.code)
            return ApiError(status=status, message=error.user_message, code=code, param=param)
        case ProviderError():
            status, code = _PROVIDER[error.error_class]
            param = "messages" if error.error_class in _MESSAGES_AT_FAULT else None
            again = retry_after(error.retry_after_s)
            return ApiError(status=status, message=_said(error), code=code, param=param, headers=again)
        case UsageFilterError():
            return ApiError(status=400, message=error.user_message, code="invalid_filter", param=error.parameter)
        case _:
            kinds = (_OTHERS[kind] for kind in type(error).__mro__ if kind in _OTHERS)
            status, code = next(kinds, (500, "internal_error"))
            return ApiError(status=status, message=error.user_message, code=code)


def _said(error: ProviderError) -> str:
    """What a caller reads. A page shows the details of an error below it; of a call gone wrong they are the point."""
    if error.error_class is not ErrorClass.BAD_REQUEST or not error.detail:
        return str(error)
    return f"{error.user_message} It said: {' '.join(error.detail.split())[:_MOST_DETAIL]}"


def retry_after(seconds: float | None) -> dict[str, str]:
    """The header that says when to come back, in whole seconds rounded up."""
    return {} if seconds is None else {"retry-after": str(max(1, math.ceil(seconds)))}


def answering_errors(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose errors are answers in OpenAI's shape. What nobody foresaw is logged and says nothing."""

    @wraps(endpoint)
    async def run(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ApiError as error:
            return error.response()
        except SwitchboardError as error:
            refused = from_error(error)
            # The stop began while the call was on its way in: it is refused as whoever comes later is.
            return refused.response(sending_on(request.scope["headers"]) if refused.code == _STOPPING else None)
        except ClientDisconnect:
            return Response(status_code=_CALLER_LEFT)
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return ApiError(
                status=500, message="Something went wrong inside Switchboard.", code="internal_error"
            ).response()

    return run


def _type_of(error: ApiError) -> str:
    if error.code == "insufficient_quota":
        return "insufficient_quota"
    match error.status:
        case 401:
            return "authentication_error"
        case 403:
            return "permission_error"
        case 429:
            return "rate_limit_error"
        case status if status >= 500:  # noqa: PLR2004 - HTTP's server errors
            return "server_error"
        case _:
            return "invalid_request_error"
