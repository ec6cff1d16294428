"""A provider on loopback: OpenAI's chat completions wire format over a real socket, deterministic, cheap.

    with ProviderServer() as server:
        server.behave("gpt", say("Hello there", ending="reset", break_after=1))
        ...  # call server.api_base
        server.requests[-1].disconnected_at

As a process of its own: `python -m tests.support.provider_server --port 9000`. It is written on bare asyncio because
the bench needs 20 streams of 50 tokens a second from it without noticing its share of the processor.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Self

from tests.support.provider_behaviour import Behaviour, behaviour_named
from tests.support.provider_connection import Connection
from tests.support.provider_wire import RequestLog

_KEEP_LOGS = 2000


class ProviderServer:
    """The server in a thread of its own; a context manager. Everything public may be called from any thread."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self._behaviours: dict[str, list[Behaviour]] = {}
        self._requests: list[RequestLog] = []
        self._changed = threading.Condition()
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="provider-server", daemon=True)

    @property
    def api_base(self) -> str:
        """The address for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> tuple[RequestLog, ...]:
        """Every chat completion so far, oldest first. The last ones may still be growing."""
        with self._changed:
            return tuple(self._requests)

    def behave(self, model: str, *behaviours: Behaviour) -> None:
        """Answer the next calls of `model` like this, one after the other, and like the last one from then on."""
        with self._changed:
            self._behaviours[model] = list(behaviours)

    def wait_for(self, condition: Callable[[tuple[RequestLog, ...]], bool], timeout_s: float = 5.0) -> bool:
        """Block until `condition(requests)` holds; False when it did not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(tuple(self._requests)), timeout_s)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(5)
        if self._failure:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop and self._stop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def wait_until_stopped(self) -> None:
        """Block this thread while the server runs."""
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connections: set[Connection] = set()
        listener = await self._loop.create_server(
            lambda: Connection(self, connections), "127.0.0.1", self.port, backlog=512
        )
        self.port = listener.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        listener.close()
        for connection in tuple(connections):
            connection.abort()

    def behaviour(self, model: str) -> Behaviour:
        """What `model` does: what was registered, else what its name stands for."""
        with self._changed:
            scripted = self._behaviours.get(model)
            if not scripted:
                return behaviour_named(model)
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]

    def record(self, log: RequestLog) -> None:
        """Note a new request."""
        with self._changed:
            self._requests.append(log)
            del self._requests[:-_KEEP_LOGS]
            self._changed.notify_all()

    def changed(self) -> None:
        """Wake those who wait for a change of a request."""
        with self._changed:
            self._changed.notify_all()

    def log_json(self) -> dict[str, Any]:
        """The requests with their times in Unix seconds."""
        return {"requests": [log.as_json() for log in self.requests]}

    def models_json(self) -> dict[str, Any]:
        """The registered models in OpenAI's list shape."""
        names = sorted(self._behaviours) or ["bench-t500-r50-f100"]
        return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "loopback"} for name in names]}


def port_nobody_listens_on() -> int:
    """A loopback port that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A deterministic OpenAI-compatible provider on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free one; the address is printed")
    options = parser.parse_args()
    with ProviderServer(port=options.port) as server:
        sys.stdout.write(f"{server.api_base}\n")
        sys.stdout.flush()
        server.wait_until_stopped()


if __name__ == "__main__":
    main()
