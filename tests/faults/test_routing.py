"""Whole turns whose model fails over a real socket: who is asked again, who instead, and after which wait."""

from __future__ import annotations

import time

import pytest

from core.catalog.models import ProviderSpec
from core.providers.endpoints import Endpoint
from core.providers.litellm_gateway import LiteLLMGateway, load_litellm
from tests.support.provider_behaviour import CONTEXT_LENGTH, SERVER_ERROR, UNAUTHORIZED, Refusal, say
from tests.support.provider_server import ProviderServer, port_nobody_listens_on
from tests.support.turns import finish, model, open_store, rig

STALL_S = 2.5
TEXT = "one two three four five"
LOOPBACK = ProviderSpec(id="loopback", kind="openai")
MODELS = {
    spec.id: spec
    for spec in (
        model("fast", label="Fast", provider=LOOPBACK, fallbacks=("steady", "large"), context_tokens=8000),
        model("nobody", label="Nobody", provider=LOOPBACK, fallbacks=("steady",), context_tokens=8000),
        model("steady", label="Steady", provider=LOOPBACK, context_tokens=8000),
        model("large", label="Large", provider=LOOPBACK, context_tokens=32_000),
    )
}


def limited(retry_after):
    return Refusal(status=429, type="requests", code="rate_limit_exceeded", message="Slow.", retry_after=retry_after)


@pytest.fixture(name="server")
def _server():
    with ProviderServer() as server:
        for name in MODELS:
            server.behave(name, say(TEXT))
        yield server


@pytest.fixture(name="waits")
def _waits():
    return []


@pytest.fixture(name="running")
def _running(server, waits, tmp_path):
    load_litellm()
    dead_end = f"http://127.0.0.1:{port_nobody_listens_on()}/v1"

    async def resolve(spec):
        return Endpoint(f"openai/{spec.upstream}", dead_end if spec.id == "nobody" else server.api_base, "none")

    async def wait(seconds):
        waits.append(seconds)

    database = open_store(f"duckdb:{tmp_path / 'store.duckdb'}")
    gateway = LiteLLMGateway(resolve=resolve)
    options = {"stall_s": STALL_S, "sleep": wait, "on_close": gateway.aclose}
    with rig(database, *MODELS.values(), gateway=gateway, **options) as made:
        # The first call of a process takes a second or two: as long as a stall here.
        while finish(made.ask("Warm up", model_id="large")).status != "complete":
            pass
        yield made
    database.close()


def ask(running, model_id):
    """The answer and its tries as (model, status)."""
    live = running.ask("Count", model_id=model_id)
    result = finish(live)
    rows = running.database.fetch_all("select * from attempts where turn_id = $id order by id", id=live.ids.turn)
    return result, [(row["served_model"], row["status"]) for row in rows]


def test_a_429_is_tried_again_after_the_wait_that_its_provider_asks_for(running, server, waits):
    server.behave("fast", limited("3"), say(TEXT))

    result, tries = ask(running, "fast")

    assert (result.content, result.served_model) == (TEXT, "fast")
    assert tries == [("fast", "rate_limit"), ("fast", "ok")]
    assert waits == [3.0]


def test_after_three_server_errors_another_model_answers(running, server, waits):
    server.behave("fast", SERVER_ERROR)

    result, tries = ask(running, "fast")

    assert (result.content, result.served_model, result.model_label) == (TEXT, "steady", "Steady")
    assert tries == [("fast", "server")] * 3 + [("steady", "ok")]
    assert [0.5 <= waits[0] <= 1.25, 1.0 <= waits[1] <= 1.75, len(waits)] == [True, True, 2]


def test_a_server_that_is_away_is_replaced(running):
    result, tries = ask(running, "nobody")

    assert (result.content, result.served_model) == (TEXT, "steady")
    assert tries == [("nobody", "connection")] * 3 + [("steady", "ok")]


def test_a_stall_is_replaced_without_another_try(running, server):
    server.behave("fast", say(TEXT, first_token_ms=60_000))

    result, tries = ask(running, "fast")

    assert (result.content, result.served_model) == (TEXT, "steady")
    assert tries == [("fast", "stall"), ("steady", "ok")]


def test_a_refused_key_goes_to_the_person_at_once(running, server, waits):
    server.behave("fast", UNAUTHORIZED)

    result, tries = ask(running, "fast")

    assert (result.status, result.error_class) == ("failed", "authentication")
    assert (tries, waits) == ([("fast", "authentication")], [])


def test_too_long_a_conversation_goes_to_the_larger_window(running, server, waits):
    server.behave("fast", CONTEXT_LENGTH)

    result, tries = ask(running, "fast")

    assert (result.content, result.served_model) == (TEXT, "large")
    assert (tries, waits) == ([("fast", "context_length"), ("large", "ok")], [])


@pytest.mark.parametrize(
    ("ending", "status"), [("truncated", "truncated"), ("dropped", "connection"), ("stall", "stall")]
)
def test_an_answer_that_breaks_off_keeps_its_text_and_nobody_goes_on_with_it(running, server, ending, status):
    server.behave("fast", say(TEXT, ending=ending, break_after=2))

    result, tries = ask(running, "fast")

    assert (result.status, result.content, result.served_model) == ("broken", "one two", "fast")
    assert tries == [("fast", status)]


def test_when_nobody_answers_every_reason_is_given(running, server):
    for name in MODELS:
        server.behave(name, SERVER_ERROR)

    result, tries = ask(running, "fast")

    assert [name for name, _ in tries] == ["fast"] * 3 + ["steady"] * 3 + ["large"] * 3
    assert result.error_message.startswith("No model could answer. Fast had an error at its provider. Steady had")
    assert "Your message is kept. Try again" in result.error_message


def test_a_stop_while_a_fallback_answers_closes_its_connection(running, server):
    server.behave("fast", SERVER_ERROR)
    server.behave("steady", say("word " * 2000, tokens_per_second=50))
    live = running.ask("Talk", model_id="fast")
    assert server.wait_for(lambda requests: requests[-1].model == "steady")
    assert live.buffer.read(8, timeout_s=5).events

    asked_at = time.monotonic()
    running.engine.stop(live)
    result = finish(live)

    assert time.monotonic() - asked_at < 1
    assert (result.status, result.served_model) == ("stopped", "steady")
    assert server.wait_for(lambda requests: requests[-1].disconnected_at is not None)
