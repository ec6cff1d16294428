"""The gateway to endpoints that speak OpenAI's chat completions format as it is, without a library in between.

Read so, a chunk takes a fraction of the processor time that it takes in LiteLLM, and neither start nor memory pay for
its import (docs/adr/0012-two-gateways.md). Other formats, and whatever LiteLLM rewrites, stay with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx

from core.catalog.models import ModelSpec
from core.providers.direct_dialects import address_of, body_of
from core.providers.direct_stream import read_events
from core.providers.endpoints import Endpoint
from core.providers.events import Event
from core.providers.gateway import CompletionRequest, HearHeaders, not_heard
from core.providers.images import ReadFile, nothing_kept, read_images
from core.providers.wire_errors import to_provider_error

# As LiteLLM's gateway: the engine watches for stalls, these only bound what it cannot see.
_TIMEOUT = httpx.Timeout(3700.0, connect=10.0)
# People think for a while between two questions: a connection that is still there saves the next one its handshakes.
_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60.0)
# What a proxy may be asked about does not include this machine.
_THIS_MACHINE = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_MOST_ERROR_CHARACTERS = 10_000
_BILLED = "x-litellm-response-cost"


class RefusalError(Exception):
    """The server answered with another status than success. The message is its body."""

    def __init__(self, response: httpx.Response, body: str) -> None:
        """`body` is what it said, in whatever form."""
        super().__init__(f"{response.status_code} {_told(body)[:_MOST_ERROR_CHARACTERS]}".strip())
        self.response = response


class DirectGateway:
    """Calls endpoints in OpenAI's own format. What it is given is what LiteLLMGateway is given."""

    def __init__(
        self,
        *,
        resolve: Callable[[ModelSpec], Awaitable[Endpoint]],
        read_file: ReadFile = nothing_kept,
        hear_headers: HearHeaders = not_heard,
    ) -> None:
        self._resolve = resolve
        self._read_file = read_file
        self._hear_headers = hear_headers
        self._client: httpx.AsyncClient | None = None

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[Event, None]:
        """Yield the events of one completion, `Usage` and `Finished` last.

        Close the iterator (`contextlib.aclosing`) or cancel the task to close the upstream connection. A stream that
        ends without `Finished` was cut. Raises ProviderError and nothing else.
        """
        endpoint = None
        try:
            endpoint = await self._resolve(request.model)
            async with self._answer(request, endpoint) as response:
                billed = response.headers.get(_BILLED)
                events = read_events(response, streams_calls=request.streams_calls, billed=billed)
                async with aclosing(events):
                    async for event in events:
                        yield event
        except Exception as error:
            secrets = (endpoint.api_key,) if endpoint else ()
            # The original may hold the key, so it is not chained.
            raise to_provider_error(error, label=request.model.label, secrets=secrets) from None

    async def aclose(self) -> None:
        """Close the connections kept for reuse on this loop; for the end of the process."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @asynccontextmanager
    async def _answer(self, request: CompletionRequest, endpoint: Endpoint) -> AsyncIterator[httpx.Response]:
        """The answer that begins, with its body to be read. Raises RefusalError."""
        images = await read_images(request, self._read_file)
        body = body_of(request, endpoint, images=images)
        # Megabytes of images are written out on a thread: on the loop they would hold up every stream.
        content = await asyncio.to_thread(_json, body) if images else _json(body)
        client = await self._opened()
        headers = _headers(endpoint)
        async with client.stream("POST", address_of(endpoint), content=content, headers=headers) as response:
            self._hear_headers(request.model.id, dict(response.headers))
            if not response.is_success:
                raise RefusalError(response, await _body(response))
            yield response

    async def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            await asyncio.to_thread(prepare)
            # Another call may have come first meanwhile.
            self._client = self._client or _new_client()
        return self._client


@cache
def prepare() -> tuple[ModuleType, ssl.SSLContext]:
    """The transport, imported, and the certificates that connections are checked against; once per process.

    Both take a moment that a start does not have and an event loop must not wait for. Under httpx lies aiohttp: its
    parser and its transport take half the processor time for a chunk that httpx's own take.
    """
    # It logs addresses at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return import_module("httpx_aiohttp"), httpx.create_ssl_context()


def _new_client() -> httpx.AsyncClient:
    transports, certificates = prepare()
    client: httpx.AsyncClient = transports.HttpxAiohttpClient(
        verify=certificates,
        timeout=_TIMEOUT,
        limits=_LIMITS,
        follow_redirects=True,
        mounts=dict.fromkeys(_THIS_MACHINE),
    )
    return client


def _headers(endpoint: Endpoint) -> dict[str, str]:
    told = {"content-type": "application/json", "accept": "text/event-stream, application/json"}
    return told if endpoint.api_key is None else {**told, "authorization": f"Bearer {endpoint.api_key}"}


def _json(body: Mapping[str, Any]) -> bytes:
    # Half a surrogate pair has no UTF-8.
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


async def _body(response: httpx.Response) -> str:
    """What a refusal says. A connection that breaks there leaves the status, which says enough."""
    try:
        return (await response.aread()).decode("utf-8", "replace")
    except httpx.HTTPError:
        return ""


def _told(body: str) -> str:
    """The message of an error in OpenAI's shape with its type and code; any other body as it is."""
    try:
        found = json.loads(body)
    except ValueError:
        return body
    error = found.get("error", found) if isinstance(found, dict) else found
    if not isinstance(error, dict) or not error.get("message"):
        return body
    return "; ".join(str(word) for word in (error["message"], error.get("type"), error.get("code")) if word)
