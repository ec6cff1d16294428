"""One server of ours and one provider behind it, for all tests of the HTTP API."""

from __future__ import annotations

from dataclasses import replace

import httpx
import openai
import pytest

from tests.support.api_calls import bearer, new_token
from tests.support.live_server import start_server
from tests.support.provider_behaviour import RATE_LIMITED, SERVER_ERROR, UNAUTHORIZED, Answer, call, say
from tests.support.provider_server import ProviderServer

PLAIN = {
    "fast": say("Hello there."),
    "limited": replace(RATE_LIMITED, retry_after="0"),
    "flaky": SERVER_ERROR,
    "broken": SERVER_ERROR,
    "locked": UNAUTHORIZED,
    "cut": Answer(tokens=("One ", "two ", "three "), ending="dropped", break_after=2),
    "slow": Answer(tokens=("word ",) * 2000, tokens_per_second=20),
    "silent": Answer(tokens=("late",), first_token_ms=60_000),
}
ABLE = {
    "able": say("Hello there."),
    "thinker": say("42", reasoning=("Let me ", "see.")),
    "caller": call(("weather", '{"city": "Paris"}'), ("weather", '{"city": "Oslo"}')),
    "json": say('{"name": "Ann", "age": 7}'),
}


@pytest.fixture(name="provider", scope="session")
def _provider():
    with ProviderServer() as provider:
        for name, behaviour in {**PLAIN, **ABLE}.items():
            provider.behave(name, behaviour)
        yield provider


@pytest.fixture(name="server", scope="session")
def _server(provider, tmp_path_factory):
    directory = tmp_path_factory.mktemp("switchboard")
    models = "\n".join(
        f"  - {{id: {name}, call: loop/{name}, label: {name.title()}, "
        f"price: {{input: 3, output: 6}}, use_cases: [{name}s], "
        f"capabilities: [{'vision, tools, json, reasoning' if name in ABLE else ''}]}}"
        for name in (*PLAIN, *ABLE)
    )
    registry = directory / "models.yaml"
    registry.write_text(
        f"providers:\n  loop: {{kind: openai, api_base: '{provider.api_base}', api_key: none}}\nmodels:\n{models}\n"
    )
    server = start_server(directory, SWITCHBOARD_MODELS=str(registry), SWITCHBOARD_ADMIN_PASSWORD="long enough")
    yield server
    server.stop()


@pytest.fixture(name="token", scope="session")
def _token(server) -> str:
    return new_token(server, scopes=("chat", "usage", "admin"))


@pytest.fixture(name="http", scope="session")
def _http(server, token):
    with httpx.Client(base_url=server.url, headers=bearer(token), trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(name="client", scope="session")
def _client(server, token):
    with httpx.Client(trust_env=False) as inner:
        yield openai.OpenAI(base_url=f"{server.url}/v1", api_key=token, http_client=inner, max_retries=0)
