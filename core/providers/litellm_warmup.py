"""Pays LiteLLM's first-call costs before a person waits for them.

The import is only half of it: the first call still loads the OpenAI client, builds its types and reads certificates,
0.5 to 1.6 s measured. So the warm-up rehearses a call on each way through LiteLLM, against a server of its own on
loopback that lives for the moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from core.catalog.models import ModelSpec, ProviderSpec
from core.providers.endpoints import NO_KEY, Endpoint
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.litellm_gateway import LiteLLMGateway, load_litellm

log = logging.getLogger(__name__)

# The OpenAI client, and the readers of LiteLLM's own that most other providers share.
_KINDS = ("openai", "hosted_vllm")
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"ready"},"finish_reason":null}]}\n\n'
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


def warm_up_litellm(on_loop: Callable[[Callable[[], Coroutine[Any, Any, None]]], object]) -> None:
    """Import LiteLLM and rehearse a call. For a background thread at the start; takes 2 to 8 s, never raises.

    `on_loop` runs a coroutine function on the loop that will make the calls. It has to be that one: LiteLLM keeps one
    set of clients for the whole process, and closing those of a loop of our own would close everybody's.
    """
    try:
        load_litellm()
        on_loop(rehearse)
    except Exception:
        # A failed rehearsal costs the first person a second; it must not stop the server.
        log.warning("LiteLLM could not be warmed up", exc_info=True)


async def rehearse() -> None:
    """Call a server that lives for the moment, once by each way through LiteLLM."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    api_base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    async def resolve(model: ModelSpec) -> Endpoint:
        return Endpoint(f"{model.provider.kind}/{model.upstream}", api_base, NO_KEY)

    gateway = LiteLLMGateway(resolve=resolve)
    try:
        for kind in _KINDS:
            async for _ in gateway.stream(_request(kind)):
                pass
    finally:
        server.close()


def _request(kind: str) -> CompletionRequest:
    provider = ProviderSpec(id="warm-up", kind=kind)
    model = ModelSpec(id="warm-up", label="Warm-up", provider=provider, upstream="warm-up")
    return CompletionRequest(model=model, messages=[ChatMessage("user", "ready?")])


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    writer.write(_ANSWER)
    await writer.drain()
    writer.close()
