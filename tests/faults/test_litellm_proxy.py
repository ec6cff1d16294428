"""A LiteLLM proxy as a provider: a real one, as a process of its own, before the provider on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest

from core.catalog.discovery import ask_endpoint, discovered_model
from core.catalog.models import ModelSpec, ProviderSpec
from core.errors import ErrorClass, ProviderError
from core.providers.direct_gateway import DirectGateway
from core.providers.endpoints import Endpoint, resolve_endpoint
from core.providers.events import Event, Finished, Started, Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from tests.support.gateway_calls import collect, text_of
from tests.support.litellm_proxy import MASTER_KEY, LiteLLMProxy, Served, being_made, environment, program
from tests.support.live_server import wait_for
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

PRICES = {"input_cost_per_token": 0.000001, "output_cost_per_token": 0.00001}
FAULTS = {
    "fault-401": ErrorClass.AUTHENTICATION,
    "fault-429": ErrorClass.RATE_LIMIT,
    "fault-500": ErrorClass.SERVER,
    "fault-context": ErrorClass.CONTEXT_LENGTH,
    "fault-policy": ErrorClass.CONTENT_POLICY,
}

pytestmark = pytest.mark.slow


@pytest.fixture(name="made", scope="module")
def _made() -> None:
    """`make test` makes it beside the tests."""
    wait_for(lambda: not being_made(), what="the environment of the proxy", within_s=300)
    if program() is None:
        pytest.skip(f"no LiteLLM proxy in {environment()}: `python -m bench.proxy_environment` makes that environment")


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        server.behave("priced", say("two words"))
        server.behave("unpriced", say("two words"))
        yield server


@pytest.fixture(name="provider", scope="module")
def _provider(made: None, server: ProviderServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderSpec]:
    models = [Served(name=name, upstream=name) for name in ("unpriced", *FAULTS)]
    models.append(Served(name="priced", upstream="priced", prices=PRICES))
    with LiteLLMProxy(tmp_path_factory.mktemp("proxy"), api_base=server.api_base, models=models) as proxy:
        yield ProviderSpec(id="proxy", kind="litellm_proxy", api_base=proxy.api_base, key_variable="KEY", discover=True)


@pytest.fixture(name="gateway")
async def _gateway() -> AsyncIterator[DirectGateway]:
    async def resolve(spec: ModelSpec) -> Endpoint:
        return await resolve_endpoint(spec, keys=lambda _: MASTER_KEY, local=None)

    gateway = DirectGateway(resolve=resolve)
    yield gateway
    await gateway.aclose()


async def ask(gateway: DirectGateway, provider: ProviderSpec, name: str) -> list[Event]:
    model = ModelSpec(id=name, label="M", provider=provider, upstream=name)
    return await collect(gateway, CompletionRequest(model=model, messages=[ChatMessage("user", "hello there")]))


def test_the_models_of_a_proxy_are_found(provider):
    reported = ask_endpoint(provider, key=MASTER_KEY)

    assert {discovered_model(provider, one).id for one in reported} == {
        f"proxy/{name}" for name in ("priced", "unpriced", *FAULTS)
    }


async def test_an_answer_comes_with_what_the_proxy_bills(provider, gateway):
    events = await ask(gateway, provider, "priced")

    assert (events[0], text_of(events), events[-1]) == (Started("priced"), "two words", Finished("stop"))
    usage = events[-2]
    assert isinstance(usage, Usage)
    assert (usage.input_tokens, usage.output_tokens) == (2, 2)
    assert usage.reported_cost_usd is not None
    assert round(usage.reported_cost_usd, 9) == Decimal("0.000022")  # the proxy reckons in floats


async def test_a_proxy_that_knows_no_price_reports_none(provider, gateway):
    events = await ask(gateway, provider, "unpriced")

    assert events[-2] == Usage(input_tokens=2, output_tokens=2)


@pytest.mark.parametrize(("name", "expected"), [*FAULTS.items(), ("nowhere", ErrorClass.NOT_FOUND)])
async def test_a_refusal_behind_the_proxy_is_what_it_is(provider, gateway, name, expected):
    with pytest.raises(ProviderError) as caught:
        await ask(gateway, provider, name)

    assert caught.value.error_class == expected
    assert "sk-" not in caught.value.detail
    assert (caught.value.retry_after_s == 7.0) is (name == "fault-429")
