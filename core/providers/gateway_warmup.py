"""Pays the first-call costs of the gateways before a person waits for them.

Of LiteLLM the import is only half: the first call still loads the OpenAI client, builds its types and reads
certificates, 0.5 to 1.6 s measured. So the warm-up rehearses a call on each way, against a server of its own on
loopback that lives for the moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from core.catalog.models import ModelSpec, ProviderSpec
from core.providers.direct_gateway import DirectGateway, prepare
from core.providers.endpoints import NO_KEY, Endpoint
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.litellm_gateway import LiteLLMGateway, load_litellm

log = logging.getLogger(__name__)

# The OpenAI client, and the readers of LiteLLM's own that most other providers share.
_LITELLM = ("openai", "hosted_vllm")
_DIRECT = "local"
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"ready"},"finish_reason":null}]}\n\n'
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


def warm_up_gateways(
    on_loop: Callable[[Callable[[], Coroutine[Any, Any, None]]], object], *, litellm: bool = True
) -> None:
    """Rehearse calls. For a background thread at the start; never raises.

    `on_loop` runs a coroutine function on the loop that will make the calls. It has to be that one: LiteLLM keeps one
    set of clients for the whole process, and closing those of a loop of our own would close everybody's. `litellm`:
    LiteLLM will be needed; it takes 2 to 8 s and 130 MB, which the first call pays where nothing told so.
    """
    try:
        prepare()
        on_loop(partial(rehearse, _DIRECT))
        if litellm:
            load_litellm()
            on_loop(partial(rehearse, *_LITELLM))
    except Exception:
        # A failed rehearsal costs the first person a second; it must not stop the server.
        log.warning("the gateways could not be warmed up", exc_info=True)


async def rehearse(*kinds: str) -> None:
    """Call a server that lives for the moment, once by each way."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    api_base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    async def resolve(model: ModelSpec) -> Endpoint:
        return Endpoint(f"{model.provider.kind}/{model.upstream}", api_base, NO_KEY)

    direct = DirectGateway(resolve=resolve)
    try:
        for kind in kinds:
            gateway = direct if kind == _DIRECT else LiteLLMGateway(resolve=resolve)
            async for _ in gateway.stream(_request(kind)):
                pass
    finally:
        await direct.aclose()
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
