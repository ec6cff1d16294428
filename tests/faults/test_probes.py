"""Probes over a real socket: what they ask, how often, and what the status makes of the answer."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.catalog.health import ModelStatus
from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.catalog.passive_health import PassiveHealth
from core.catalog.probes import Finding, Prober
from core.chat.completion_probe import CompletionProbe
from core.chat.loop_thread import LoopThread
from core.providers.circuit import Circuits
from core.providers.endpoints import Endpoint
from core.providers.litellm_gateway import LiteLLMGateway, load_litellm
from core.store.database import Database
from tests.faults.test_gateway_anthropic import canned
from tests.support.moving_clock import MovingClock
from tests.support.provider_server import ProviderServer, port_nobody_listens_on
from tests.support.turns import TIMEOUT_S, open_store, wait_until

UNKNOWN = ModelStatus("unknown", "not tried lately")


class Rig:
    """A prober on a store and a loop; `health` reads what it writes."""

    def __init__(self, database: Database, **options) -> None:
        self.clock = MovingClock()
        self.database = database
        self.health = PassiveHealth(database, clock=self.clock)
        self.ended = threading.Semaphore(0)
        self.loop = LoopThread("probes")
        self.use(**options)

    def use(self, **options) -> None:
        """Probe with these options from now on."""
        options = {"keys": lambda _name: "sk-secret", **options}
        self.prober = Prober(self.database, run_aside=self._run, done=self._done, clock=self.clock, **options)

    def _run(self, work) -> None:
        self.loop.call(lambda: self.loop.spawn(work(), name="probe"))

    def _done(self) -> None:
        self.health.probed()
        self.ended.release()

    def probe(self, model: ModelSpec) -> ModelStatus:
        """Look at a model, wait for the probe, and look again."""
        assert self.prober.ask(model, self.health.status(model.id))
        assert self.ended.acquire(timeout=TIMEOUT_S)
        return self.health.status(model.id)

    def rows(self) -> list[dict]:
        return self.database.fetch_all("select * from health_events order by id")


@pytest.fixture(name="rig")
def _rig() -> Iterator[Rig]:
    database = open_store("duckdb::memory:")
    rig = Rig(database)
    yield rig
    rig.loop.close(timeout_s=5)
    database.close()


def at(api_base: str, *, model_id: str = "a", key_variable: str | None = None) -> ModelSpec:
    provider = ProviderSpec(id="team", kind="openai", api_base=api_base, key_variable=key_variable)
    return ModelSpec(id=model_id, label="A", provider=provider, upstream="a")


@contextmanager
def answering(
    status: int, seen: list[dict[str, str]] | None = None, gate: threading.Event | None = None
) -> Iterator[str]:
    """A server that answers every GET with `status`, once `gate` is open, and notes the headers it got."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            if gate is not None:
                gate.wait(10)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_server_that_lists_its_models_is_healthy_for_ten_minutes_and_nothing_is_spent(rig: Rig) -> None:
    with ProviderServer() as provider:
        assert rig.probe(at(provider.api_base)).state == "healthy"
        assert provider.requests == ()

    assert rig.database.fetch_all("select * from attempts") == []
    (row,) = rig.rows()
    assert (row["model_id"], row["problem"]) == ("a", None)
    rig.clock.advance(minutes=11)
    assert rig.health.status("a").state == "unknown"


def test_a_server_that_is_gone_is_red_with_a_reason(rig: Rig) -> None:
    status = rig.probe(at(f"http://127.0.0.1:{port_nobody_listens_on()}/v1"))

    assert (status.state, status.reason) == ("down", "down: team cannot be reached")


def test_a_refused_key_is_red_and_is_not_written_down(rig: Rig) -> None:
    seen: list[dict[str, str]] = []
    with answering(401, seen) as api_base:
        status = rig.probe(at(api_base, key_variable="TEAM_KEY"))

    assert (status.state, status.reason) == ("down", "down: team refuses its key (401)")
    assert (seen[0]["path"], seen[0]["authorization"]) == ("/v1/models", "Bearer sk-secret")
    assert "sk-secret" not in str(rig.rows())


def test_one_question_without_an_answer_is_asked_again_before_a_model_is_red(rig: Rig) -> None:
    rig.use(limit_s=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        model = at(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        assert rig.probe(model).state == "unknown"
        assert not rig.prober.ask(model, UNKNOWN)
        rig.clock.advance(seconds=30)
        status = rig.probe(model)

    assert (status.state, status.reason) == ("down", "down: team did not answer within 0.2 seconds")
    assert len(rig.rows()) == 1


def test_an_answer_in_between_takes_a_silence_back(rig: Rig) -> None:
    findings = [Finding("A is late.", unanswered=True), Finding(), Finding("A is late.", unanswered=True)]

    async def complete(_: ModelSpec) -> Finding:
        return findings.pop(0)

    rig.use(complete=complete)
    model = without_list("http://127.0.0.1:9")

    states = []
    for _ in range(3):
        states.append(rig.probe(model).state)
        rig.clock.advance(minutes=11)

    assert states == ["unknown", "healthy", "unknown"]


def test_a_loop_that_is_held_up_does_not_count_against_a_model(rig: Rig) -> None:
    seen: list[dict[str, str]] = []
    gate = threading.Event()

    async def hold_up() -> None:
        while not seen:  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.005)
        gate.set()
        threading.Event().wait(0.6)  # longer than the limit, on the loop, while the answer is in the socket already

    rig.use(limit_s=0.4)
    with answering(200, seen, gate) as api_base:
        rig.loop.call(lambda: rig.loop.spawn(hold_up(), name="hold-up"))
        assert rig.probe(at(api_base)).state == "healthy"


def test_a_model_is_asked_at_most_every_ten_minutes(rig: Rig) -> None:
    seen: list[dict[str, str]] = []
    with answering(200, seen) as api_base:
        model = at(api_base)
        rig.probe(model)
        assert not rig.prober.ask(model, UNKNOWN)
        rig.clock.advance(minutes=9, seconds=59)
        assert not rig.prober.ask(model, UNKNOWN)
        rig.clock.advance(seconds=1)
        assert rig.prober.ask(model, UNKNOWN)
        assert rig.ended.acquire(timeout=10)

    assert len(seen) == 2


def test_only_what_is_unknown_is_probed_and_only_when_that_is_allowed(rig: Rig) -> None:
    model = at("http://127.0.0.1:9/v1")
    off = Prober(rig.database, keys=rig.prober._keys, run_aside=rig._run, enabled=False)

    assert not rig.prober.ask(model, ModelStatus("healthy", "healthy"))
    assert not rig.prober.ask(model, ModelStatus("no_key", "no key"))
    assert not off.ask(model, UNKNOWN)


def test_many_probes_at_once_all_end(rig: Rig) -> None:
    with answering(200) as api_base:
        for number in range(12):
            assert rig.prober.ask(at(api_base, model_id=f"m{number}"), UNKNOWN)
        assert wait_until(lambda: len(rig.rows()) == 12)


def without_list(api_base: str, **fields) -> ModelSpec:
    """A cheap model whose provider has no free question: Anthropic's wire format at an address of one's own."""
    prices = Prices(input=Decimal(1), output=Decimal(5))
    provider = ProviderSpec(id="team", kind="anthropic", api_base=api_base)
    return ModelSpec(id="a", label="A", provider=provider, upstream="claude-cheap", prices=prices, **fields)


def test_a_model_without_a_free_question_is_asked_for_one_token_and_pays_for_it(rig: Rig) -> None:
    with ProviderServer() as provider:
        provider.behave("claude-cheap", canned(10))
        model = without_list(provider.api_base.removesuffix("/v1"))

        async def resolve(_: ModelSpec) -> Endpoint:
            return Endpoint("anthropic/claude-cheap", model.provider.api_base, "sk-secret")

        gateway = LiteLLMGateway(resolve=resolve)
        # As a server does while it warms up: it takes seconds, and no probe waits for it.
        load_litellm()
        complete = CompletionProbe(rig.database, gateway=gateway, circuits=Circuits(clock=rig.clock), clock=rig.clock)
        rig.use(complete=complete)

        assert rig.probe(model).state == "healthy"
        assert not rig.prober.ask(model, UNKNOWN)
        rig.loop.call(lambda: rig.loop.spawn(gateway.aclose(), name="close"))

    (request,) = provider.requests
    assert (request.body["max_tokens"], request.body["messages"][0]["role"]) == (1, "user")
    (row,) = rig.database.fetch_all("select * from attempts")
    assert (row["source"], row["status"], row["cost_code"]) == ("probe", "ok", "computed")
    assert row["cost_usd"] > 0


@pytest.mark.parametrize(("status", "asked", "state"), [(200, 0, "healthy"), (404, 1, "healthy"), (503, 0, "down")])
def test_a_model_is_asked_itself_only_where_its_list_says_nothing(
    rig: Rig, status: int, asked: int, state: str
) -> None:
    seen: list[str] = []

    async def complete(model: ModelSpec) -> Finding:
        seen.append(model.id)
        return Finding()

    rig.use(complete=complete)
    with answering(status) as api_base:
        model = replace(at(api_base), prices=Prices(input=Decimal(1), output=Decimal(5)))
        assert rig.probe(model).state == state

    assert len(seen) == asked


def test_a_silent_probe_leaves_a_model_grey_and_a_problem_makes_it_red(rig: Rig) -> None:
    findings = [Finding(silent=True), Finding("A refuses its key.")]

    async def complete(_: ModelSpec) -> Finding:
        return findings.pop(0)

    rig.use(complete=complete)
    model = without_list("http://127.0.0.1:9")

    assert rig.probe(model).state == "unknown"
    rig.clock.advance(minutes=10)
    status = rig.probe(model)
    assert (status.state, status.reason) == ("down", "down: A refuses its key")


def test_what_may_cost_too_much_is_not_asked(rig: Rig) -> None:
    async def complete(_: ModelSpec) -> Finding:
        raise AssertionError("asked")

    rig.use(complete=complete)
    model = without_list("http://127.0.0.1:9")

    assert not rig.prober.ask(replace(model, prices=None), UNKNOWN)
    assert not rig.prober.ask(replace(model, prices=Prices(input=Decimal(15), output=Decimal(75))), UNKNOWN)
    assert not rig.prober.ask(replace(model, enabled=False), UNKNOWN)
