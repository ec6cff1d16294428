"""What a run of a page draws in its first moment goes to the browser in one go.

Streamlit sends every part of a page as soon as it is drawn. The first thing that it sends is that a run has begun: the
browser then marks all that is on the page as old, and goes through the whole page again when the new parts come, most
of which are what they were. Each time takes the browser 10 to 20 ms, about as long as a run takes to draw. So nothing
is sent until the run is over or a moment has passed, and what came meanwhile is taken in at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# As ASGI has them.
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# Longer than the chat page takes to draw a long conversation, and too short to be seen.
_MOMENT_S = 0.06


class Bursts:
    """Middleware that keeps what a page's WebSocket sends from the beginning of a run on, for `moment_s` at most."""

    def __init__(self, app: App, *, moment_s: float = _MOMENT_S) -> None:
        self._app = app
        self._moment_s = moment_s

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        connection = _Connection(send, moment_s=self._moment_s)
        try:
            await self._app(scope, receive, connection.send)
        finally:
            connection.end()


class _Connection:
    """One page's WebSocket. What follows while something is kept is kept or waits behind it: the order stays."""

    def __init__(self, send: Send, *, moment_s: float) -> None:
        self._send = send
        self._moment_s = moment_s
        self._kept: list[Message] = []
        self._over = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        # A page that is just being opened has much to load for each kind of part: it begins with the first that comes.
        self._drawn_once = False

    async def send(self, message: Message) -> None:
        """Send, now or in a moment. Raises OSError when the connection is gone."""
        kind = _kind(message)
        if kind is None:
            # No part of a page, such as the end of the connection.
            self._over.set()
        if self._keeper is not None and self._over.is_set():
            # What was kept goes first, and this waits for it: Streamlit ends a connection that takes too little.
            await self._keeper
        if self._keeper is not None:
            self._kept.append(message)
        elif kind == "new_session" and self._drawn_once:
            self._kept, self._over = [message], asyncio.Event()
            self._keeper = asyncio.create_task(self._keep())
        else:
            await self._send(message)
        if kind == "script_finished":
            self._drawn_once = True
            self._over.set()

    def end(self) -> None:
        """The connection has ended."""
        if self._keeper is not None:
            self._keeper.cancel()

    async def _keep(self) -> None:
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), self._moment_s)
            self._over.set()
            # Of a connection that is gone whoever sends next is told.
            with suppress(OSError):
                for message in self._kept:
                    await self._send(message)
        finally:
            self._keeper = None


def _kind(message: Message) -> str | None:
    data = message.get("bytes")
    return ForwardMsg.FromString(data).WhichOneof("type") if data else None
