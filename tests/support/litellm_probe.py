"""Loads LiteLLM in a process of its own and prints, as one line of JSON, what that did.

Run by tests: an import happens once per process, and the test process has made it already.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from core.catalog.models import ModelSpec, ProviderSpec
from core.errors import ProviderError
from core.providers.direct_gateway import DirectGateway
from core.providers.endpoints import Endpoint
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.gateway_warmup import warm_up_gateways
from core.providers.litellm_gateway import LiteLLMGateway, load_litellm
from tests.support.network_guard import NetworkGuard
from tests.support.provider_server import ProviderServer


def load() -> dict[str, object]:
    """Import from four threads at once, with no network at all."""
    early = "litellm" in sys.modules
    guard = NetworkGuard(loopback=False)
    guard.install()
    with ThreadPoolExecutor(4) as pool:
        modules = list(pool.map(lambda _: load_litellm(), range(4)))
    return {
        "imported_early": early,
        "modules": len({id(module) for module in modules}),
        "attempts": guard.take_attempts(),
        "collecting": gc.isenabled(),
        "dotenv_read": "SWITCHBOARD_PROBE_DOTENV" in os.environ,
    }


def warm_up() -> dict[str, object]:
    """Warm up with loopback only."""
    guard = NetworkGuard()
    guard.install()
    warm_up_gateways(lambda work: asyncio.run(work()), litellm=False)
    early = "litellm" in sys.modules
    warm_up_gateways(lambda work: asyncio.run(work()))
    return {"attempts": guard.take_attempts(), "early": early, "loaded": "litellm" in sys.modules}


def refused(key: str) -> dict[str, object]:
    """A call that is refused, with every logger at its most talkative."""

    async def resolve(spec: ModelSpec) -> Endpoint:
        return Endpoint(f"{spec.provider.kind}/{spec.upstream}", server.api_base, key)

    async def call(make: type[DirectGateway | LiteLLMGateway], kind: str) -> str:
        model = ModelSpec(id="m", label="M", provider=ProviderSpec(id="p", kind=kind), upstream="fault-401")
        gateway = make(resolve=resolve)
        try:
            wanted = CompletionRequest(model=model, messages=[ChatMessage("user", "hello")])
            return str([event async for event in gateway.stream(wanted)])
        except ProviderError as error:
            return f"{error.error_class} {error.detail}"
        finally:
            await gateway.aclose()

    logging.basicConfig(level=logging.DEBUG)
    with ProviderServer() as server:
        ways = ((DirectGateway, "openai"), (LiteLLMGateway, "openai"), (LiteLLMGateway, "hosted_vllm"))
        return {"outcomes": [asyncio.run(call(*way)) for way in ways]}


if __name__ == "__main__":
    probes = {"load": load, "warm_up": warm_up, "refused": lambda: refused(sys.argv[2])}
    sys.stdout.write(json.dumps(probes[sys.argv[1]]()))
