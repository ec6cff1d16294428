"""While running answers come to their end before a stop, whoever comes anew is sent away: a load balancer moves on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

# Asked by machines that want to know how things stand; they answer themselves.
_ALWAYS = ("/metrics", "/api/health")
_SAID = "Switchboard is being stopped. Try again in a moment."
# The balancer of deploy/ says of a call that it can send it to another replica; the answer then says that it should.
_RESENDS = b"x-switchboard-resends"
_ELSEWHERE = {"x-accel-redirect": "@another_replica"}


def sending_on(headers: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """What an answer says beside its error, when a call with these headers can be sent to another replica."""
    return _ELSEWHERE if any(name == _RESENDS for name, _ in headers) else {}


class Draining:
    """Middleware that answers 503 while `draining()` is true. What is under way goes on."""

    def __init__(self, app: ASGIApp, *, draining: Callable[[], bool]) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on or send it away."""
        kind = scope["type"]
        if kind not in {"http", "websocket"} or scope["path"] in _ALWAYS or not self._draining():
            await self._app(scope, receive, send)
            return
        response = _response(scope["path"], sending_on(scope["headers"]))
        if kind == "http":
            # Kept open, it would lead a balancer here again, and in the moment of the end to nobody.
            response.headers["connection"] = "close"
            await response(scope, receive, send)
        elif "websocket.http.response" in scope.get("extensions", {}):
            await receive()
            await send(_denied(response))
            await send({"type": "websocket.http.response.body", "body": response.body})
        else:
            await send({"type": "websocket.close", "code": 1012})


def _response(path: str, sent_on: Mapping[str, str]) -> Response:
    headers = {"retry-after": "1", "cache-control": "no-store"}
    if path.startswith(("/v1/", "/api/")):
        error = {"message": _SAID, "type": "server_error", "code": "stopping", "param": None}
        return JSONResponse({"error": error}, 503, sent_on or headers)
    return PlainTextResponse(_SAID, 503, headers)


def _denied(response: Response) -> dict[str, Any]:
    return {
        "type": "websocket.http.response.start",
        "status": response.status_code,
        "headers": response.raw_headers,
    }
