"""Rate-limit headers over a real socket: what the gateway hands on of answers and refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.catalog.health import Headroom
from core.catalog.models import ModelSpec, ProviderSpec
from core.catalog.rate_limits import HeardLimits
from core.errors import ProviderError
from core.providers.direct_gateway import DirectGateway
from core.providers.endpoints import Endpoint
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.litellm_gateway import LiteLLMGateway
from tests.faults.test_gateway_anthropic import canned
from tests.support.gateway_calls import KINDS
from tests.support.moving_clock import MovingClock
from tests.support.provider_behaviour import RATE_LIMITED, Canned, Refusal, say
from tests.support.provider_server import ProviderServer

OPENAI = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "1m0s",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-tokens": "29976",
    "x-ratelimit-reset-tokens": "60s",
}
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-23T09:00:30Z",
}


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


async def heard(server: ProviderServer, model: str, *, kind: str = "openai") -> Headroom | None:
    """What is known of a model's limits after one call of it."""
    limits = HeardLimits(clock=MovingClock())
    api_base = server.api_base.removesuffix("/v1") if kind == "anthropic" else server.api_base

    async def resolve(_: ModelSpec) -> Endpoint:
        return Endpoint(f"{kind}/{model}", api_base, "sk-test-0123456789")

    make = DirectGateway if kind == "direct" else LiteLLMGateway
    gateway = make(resolve=resolve, hear_headers=limits.hear)
    spec = ModelSpec(id="m", label="M", provider=ProviderSpec(id="p", kind=kind), upstream=model)
    try:
        async for _ in gateway.stream(CompletionRequest(model=spec, messages=(ChatMessage("user", "hello"),))):
            pass
    except ProviderError:
        pass
    await gateway.aclose()
    return limits.headroom("m")


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_says_what_is_left(server: ProviderServer, kind: str) -> None:
    server.behave("limited", say("Hello there", headers=OPENAI))

    assert await heard(server, "limited", kind=kind) == Headroom(499, 500, 29976, 30000, reported=True)


async def test_anthropic_says_it_in_its_own_words(server: ProviderServer) -> None:
    server.behave("claude-limited", Canned(body=canned(10).body, headers=ANTHROPIC))

    assert await heard(server, "claude-limited", kind="anthropic") == Headroom(49, 50, None, None, reported=True)


@pytest.mark.parametrize("kind", ["openai", "direct"])
async def test_a_refusal_says_that_nothing_is_left(server: ProviderServer, kind: str) -> None:
    headers = OPENAI | {"x-ratelimit-remaining-requests": "0"}
    server.behave("over", Refusal(status=429, message="Slow down.", headers=headers))

    assert await heard(server, "over", kind=kind) == Headroom(0, 500, 29976, 30000, reported=True)


@pytest.mark.parametrize("kind", ["openai", "direct"])
async def test_a_refusal_that_only_says_when_to_come_back_leaves_nothing_until_then(
    server: ProviderServer, kind: str
) -> None:
    server.behave("over-without", RATE_LIMITED)

    assert await heard(server, "over-without", kind=kind) == Headroom(0, None, None, None, reported=True)


async def test_a_provider_that_says_nothing_leaves_our_own_count(server: ProviderServer) -> None:
    assert await heard(server, "plain") is None
