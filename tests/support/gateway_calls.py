"""Calls of the gateways as the fault tests make them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.catalog.models import ModelSpec, ParameterValue, ProviderSpec
from core.providers.direct_gateway import DirectGateway
from core.providers.endpoints import Endpoint
from core.providers.events import Event, TextDelta
from core.providers.gateway import ChatMessage, CompletionRequest, Gateway
from core.providers.gateways import Gateways
from core.providers.litellm_gateway import LiteLLMGateway
from tests.support.provider_server import ProviderServer

KEY = "sk-of-the-test-0123456789"

# The ways to a server in OpenAI's format. openai: through LiteLLM, read from the OpenAI client's own chunks.
# hosted_vllm: through LiteLLM's wrapper, like most providers. direct: without LiteLLM.
KINDS = ("openai", "hosted_vllm", "direct")


@asynccontextmanager
async def gateway_to(server: ProviderServer) -> AsyncIterator[Gateways]:
    """Both gateways, whose models live on `server`, unless their provider names another address."""

    async def resolve(spec: ModelSpec) -> Endpoint:
        return Endpoint(f"{spec.provider.kind}/{spec.upstream}", spec.provider.api_base or server.api_base, KEY)

    gateway = Gateways(direct=DirectGateway(resolve=resolve), litellm=LiteLLMGateway(resolve=resolve))
    try:
        yield gateway
    finally:
        await gateway.aclose()


def request(
    upstream: str,
    *,
    kind: str = "openai",
    messages: int = 1,
    api_base: str | None = None,
    **parameters: ParameterValue,
) -> CompletionRequest:
    """A call of `upstream` with that many messages after the system prompt; the registry allows the parameters."""
    provider = provider_of(kind, api_base=api_base)
    model = ModelSpec(id=upstream, label="Model M", provider=provider, upstream=upstream, parameters=parameters)
    history = [ChatMessage("user" if index % 2 == 0 else "assistant", f"message {index}") for index in range(messages)]
    return CompletionRequest(model=model, messages=[ChatMessage("system", "be brief"), *history], parameters=parameters)


def provider_of(kind: str, *, api_base: str | None = None) -> ProviderSpec:
    """A provider that is called by one of KINDS, or a kind that only LiteLLM knows."""
    if kind == "direct":
        return ProviderSpec(id="loopback", kind="openai", api_base=api_base, gateway="direct")
    return ProviderSpec(id="loopback", kind=kind, api_base=api_base, gateway="litellm")


async def collect(gateway: Gateway, wanted: CompletionRequest, into: list[Event] | None = None) -> list[Event]:
    """All events of a call; with `into`, also those before an error."""
    events = [] if into is None else into
    async for event in gateway.stream(wanted):
        events.append(event)
    return events


def text_of(events: list[Event]) -> str:
    """The answer's text."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))
