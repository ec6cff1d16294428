"""Whole turns against a provider that fails over a real socket: what is kept, what is said, what is paid."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from core.catalog.models import ProviderSpec
from core.errors import ErrorClass
from core.providers.endpoints import Endpoint
from core.providers.litellm_gateway import LiteLLMGateway, load_litellm
from core.providers.routing import retryable
from tests.support.provider_behaviour import (
    FORBIDDEN,
    NOT_FOUND,
    RATE_LIMITED,
    SERVER_ERROR,
    UNAUTHORIZED,
    say,
)
from tests.support.provider_server import ProviderServer, port_nobody_listens_on
from tests.support.turns import finish, model, open_store, read_to_end, rig, text_of

STALL_S = 2.5
KEY = "sk-of-the-test-0123456789abcdef"
TEXT = "one two three four five six seven"
# What a sentence for a person never contains: a traceback, a class, an address, a key, raw JSON.
TECHNICAL = re.compile(r"Traceback|[a-z]Error|Exception|litellm|http|127\.0\.0\.1|sk-|[{}<>]|None")
NEXT_STEP = re.compile(r"Try again|[Cc]hoose another model|Ask an administrator|Check that")


@pytest.fixture(name="server", scope="module")
def _server():
    with ProviderServer() as server:
        yield server


@pytest.fixture(name="database", scope="module")
def _database(tmp_path_factory):
    database = open_store(f"duckdb:{tmp_path_factory.mktemp('faults') / 'store.duckdb'}")
    yield database
    database.close()


@pytest.fixture(name="running", scope="module")
def _running(server, database):
    load_litellm()
    dead_end = f"http://127.0.0.1:{port_nobody_listens_on()}/v1"

    async def resolve(spec):
        base = dead_end if spec.id == "nobody" else server.api_base
        return Endpoint(f"openai/{spec.upstream}", base, KEY)

    def find(model_id):
        provider = ProviderSpec(id="loopback", kind="openai")
        return model(model_id, label="Model M", provider=provider)

    gateway = LiteLLMGateway(resolve=resolve)
    with rig(database, gateway=gateway, find_model=find, stall_s=STALL_S, on_close=gateway.aclose) as made:
        warm_up(made, server)
        yield made


def warm_up(running, server):
    """The first call of a process takes a second or two: as long as a stall here."""
    server.behave("warm", say("Hi"))
    while finish(running.ask("Hi", model_id="warm")).status != "complete":
        pass


def ledger(running, live):
    return running.database.fetch_all("select * from attempts where turn_id = $id", id=live.ids.turn)


@pytest.mark.parametrize(
    ("model_id", "behaviour", "status", "says"),
    [
        ("nobody", None, "connection", "cannot be reached"),
        ("refused-401", UNAUTHORIZED, "authentication", "refused the key"),
        ("refused-403", FORBIDDEN, "permission", "may not use"),
        ("refused-404", NOT_FOUND, "not_found", "does not know"),
        ("refused-429", RATE_LIMITED, "rate_limit", "rate limit for 7 s"),
        ("refused-500", SERVER_ERROR, "server", "had an error at its provider"),
    ],
)
def test_a_refused_call_costs_nothing_and_keeps_the_question(running, server, model_id, behaviour, status, says):  # noqa: PLR0917
    if behaviour:
        server.behave(model_id, behaviour)

    live = running.ask("A question worth keeping", model_id=model_id)
    result = finish(live)

    assert (result.status, result.content, result.error_class) == ("failed", "", status)
    assert says in result.error_message
    assert_plain(result.error_message)
    assert KEY not in (result.error_detail or "")
    question, stored = running.messages(live.ids.conversation)
    assert (question.content, stored.error_message) == ("A question worth keeping", result.error_message)
    rows = ledger(running, live)
    assert len(rows) == (3 if retryable(ErrorClass(status)) else 1)
    for row in rows:
        assert (row["status"], row["cost_usd"], row["output_tokens"]) == (status, 0, 0)


def assert_plain(sentence):
    assert NEXT_STEP.search(sentence)
    assert not TECHNICAL.search(sentence), sentence


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("truncated", "truncated"),
        ("dropped", "connection"),
        ("reset", "connection"),
        ("malformed", "server"),
    ],
)
def test_a_broken_answer_keeps_and_prices_the_text_that_had_arrived(running, server, ending, status):
    server.behave(ending, say(TEXT, ending=ending, break_after=3))

    live = running.ask("Count", model_id=ending)
    result = finish(live)

    assert (result.status, result.content, result.error_class) == ("broken", "one two three", status)
    assert_plain(result.error_message)
    assert text_of(read_to_end(live.buffer)) == "one two three"
    [row] = ledger(running, live)
    assert (row["status"], row["cost_code"], row["output_tokens"]) == (status, "partial", 3)
    assert row["cost_usd"] == Decimal(row["input_tokens"] * 3 + 3 * 15) / 1_000_000
    assert row["first_token_at"] is not None


def test_a_stall_keeps_and_prices_the_text_and_closes_the_connection(running, server):
    server.behave("stall", say(TEXT, ending="stall", break_after=3))

    live = running.ask("Count", model_id="stall")
    result = finish(live)

    assert (result.status, result.content, result.error_class) == ("broken", "one two three", "stall")
    assert_plain(result.error_message)
    [row] = ledger(running, live)
    assert (row["status"], row["cost_code"], row["output_tokens"]) == ("stall", "partial", 3)
    assert server.wait_for(lambda requests: any(r.model == "stall" and r.disconnected_at for r in requests))


@pytest.mark.parametrize(("usage", "code", "output_tokens"), [(True, "computed", 7), (False, "estimated", 7)])
def test_a_whole_answer_is_counted_by_the_provider_or_else_by_us(running, server, usage, code, output_tokens):
    name = f"whole-{usage}"
    server.behave(name, say(TEXT, usage=usage, served_model="m-2026"))

    live = running.ask("Count", model_id=name)
    result = finish(live)

    assert (result.status, result.content, result.error_message) == ("complete", TEXT, None)
    [row] = ledger(running, live)
    assert (row["status"], row["cost_code"], row["output_tokens"]) == ("ok", code, output_tokens)
    assert row["upstream_model"] == "m-2026"


def test_what_the_provider_bills_comes_first_and_ours_is_kept_beside_it(running, server):
    server.behave("billed", say(TEXT, extra_usage={"cost": 0.0123456789}))

    live = running.ask("Count", model_id="billed")
    finish(live)

    [row] = ledger(running, live)
    assert (row["cost_code"], row["cost_usd"]) == ("reported", Decimal("0.012345679"))
    assert row["reported_cost_usd"] == row["cost_usd"]
    assert row["computed_cost_usd"] == Decimal(row["input_tokens"] * 3 + 7 * 15) / 1_000_000


def test_a_count_of_nothing_is_no_count(running, server):
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    server.behave("nothing", say(TEXT, extra_usage=nothing))

    live = running.ask("Count", model_id="nothing")
    finish(live)

    [row] = ledger(running, live)
    assert (row["cost_code"], row["output_tokens"], row["counted_by_us"]) == ("estimated", 7, True)
    assert row["cost_usd"] > 0


def test_a_level_of_service_that_nobody_priced_leaves_the_call_unpriced(running, server):
    server.behave("priority", say(TEXT, extra_usage={"service_tier": "priority"}))

    live = running.ask("Count", model_id="priority")
    finish(live)

    [row] = ledger(running, live)
    assert (row["cost_code"], row["cost_usd"], row["service_tier"]) == ("unpriced", None, "priority")


def test_audio_is_counted_where_the_wire_reports_it(running, server):
    details = {
        "prompt_tokens_details": {"audio_tokens": 1},
        "completion_tokens_details": {"audio_tokens": 2},
    }
    server.behave("audio", say(TEXT, extra_usage=details))

    live = running.ask("Count", model_id="audio")
    finish(live)

    [row] = ledger(running, live)
    assert (row["audio_tokens"], row["audio_output_tokens"], row["output_tokens"]) == (1, 2, 7)


def test_stop_reaches_the_provider_within_a_second(running, server):
    server.behave("endless", say("word " * 2000, tokens_per_second=50))
    live = running.ask("Talk", model_id="endless")
    assert live.buffer.read(1, timeout_s=5).events

    asked_at = time.monotonic()
    running.engine.stop(live)
    result = finish(live)

    assert time.monotonic() - asked_at < 1
    assert result.status == "stopped"
    assert result.content
    assert server.wait_for(lambda requests: any(r.model == "endless" and r.disconnected_at for r in requests))
    disconnected_at = next(r.disconnected_at for r in server.requests if r.model == "endless")
    assert disconnected_at - asked_at < 1


def test_a_failed_turn_is_answered_again_in_the_same_conversation(running, server):
    server.behave("moody", SERVER_ERROR)
    first = running.ask("Count", model_id="moody")
    finish(first)
    server.behave("moody", say(TEXT))

    again = running.ask("", model_id="moody", conversation_id=first.ids.conversation, answer_again=first.ids.question)

    assert finish(again).content == TEXT
    assert [row["status"] for row in ledger(running, first) + ledger(running, again)] == [*["server"] * 3, "ok"]


def test_one_providers_trouble_is_nobody_elses(running, server):
    server.behave("bad", say(TEXT, ending="reset", break_after=1))
    server.behave("good", say(TEXT))

    with ThreadPoolExecutor(8) as threads:
        turns = list(threads.map(lambda name: running.ask("Count", model_id=name), ["bad", "good"] * 4))
    endings = [finish(live).status for live in turns]

    assert endings == ["broken", "complete"] * 4
