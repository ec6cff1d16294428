"""Rules that hold from a page's first moment on.

style.css comes with the first run of the script and waits for a part of Streamlit that the browser has yet to load.
What nobody may see until then stands in ui/early.css, which is put into the page that Streamlit serves.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_END = b"</head>"
# A page is some kilobytes: it comes as it is, so that it can be changed, and whole, also to a browser that has it from
# before these rules were in it.
_NOT_ASKED = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since"})


class EarlyStyle:
    """Middleware that puts rules of CSS into every page."""

    def __init__(self, app: ASGIApp, *, rules: str) -> None:
        self._app = app
        self._put = f"<style>{rules}</style>".encode() + _END

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "GET" or "text/html" not in _accepted(scope):
            await self._app(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name not in _NOT_ASKED]
        await self._app({**scope, "headers": plain}, receive, _Page(send, put=self._put).send)


class _Page:
    """An answer that is kept until it is whole, if it is a page."""

    def __init__(self, send: Send, *, put: bytes) -> None:
        self._send = send
        self._put = put
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)
        else:
            await self._send(message)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(_END, self._put, 1)
        headers = MutableHeaders(scope=start)
        # They name the page without the rules.
        for name in ("etag", "last-modified"):
            del headers[name]
        headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _accepted(scope: Scope) -> str:
    return Headers(scope=scope).get("accept", "")


def _is_page(start: Message) -> bool:
    return start["status"] == 200 and Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")  # noqa: PLR2004 - OK
