"""What a browser may load for a page: pictures from here alone, and the page in nobody else's frame.

A model writes the answers, and the address of a picture can carry what was said to somebody else. ui.markdown makes
links of pictures; where the browser reads a text in another way than it does, the picture is still not asked for.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# `data:` and `blob:` are Streamlit's own previews and tables; scripts, styles and fonts stay as Streamlit has them.
POLICY = (
    "img-src 'self' data: blob:; media-src 'self' data: blob:; object-src 'none'; base-uri 'self'; "
    "frame-ancestors 'self'"
)


class PagePolicy:
    """Middleware that sends the policy with every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("content-security-policy", POLICY)
            await send(message)

        await self._app(scope, receive, told)
