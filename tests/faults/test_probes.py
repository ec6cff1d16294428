"""Probes over a real socket: what they ask, how often, and what the status makes of the answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.catalog.health import ModelStatus
from core.catalog.models import ModelSpec, ProviderSpec
from core.catalog.passive_health import PassiveHealth
from core.catalog.probes import Prober
from core.chat.loop_thread import LoopThread
from core.store.database import Database
from tests.support.moving_clock import MovingClock
from tests.support.provider_server import ProviderServer, port_nobody_listens_on
from tests.support.turns import open_store, wait_until

UNKNOWN = ModelStatus("unknown", "not tried lately")


class Rig:
    """A prober on a store and a loop; `health` reads what it writes."""

    def __init__(self, database: Database, **options) -> None:
        self.clock = MovingClock()
        self.database = database
        self.health = PassiveHealth(database, clock=self.clock)
        self.ended = threading.Semaphore(0)
        self.loop = LoopThread("probes")
        options = {"keys": lambda _name: "sk-secret", **options}
        self.prober = Prober(database, run_aside=self._run, done=self._done, clock=self.clock, **options)

    def _run(self, work) -> None:
        self.loop.call(lambda: self.loop.spawn(work(), name="probe"))

    def _done(self) -> None:
        self.health.probed()
        self.ended.release()

    def probe(self, model: ModelSpec) -> ModelStatus:
        """Look at a model, wait for the probe, and look again."""
        assert self.prober.ask(model, self.health.status(model.id))
        assert self.ended.acquire(timeout=10)
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
def answering(status: int, seen: list[dict[str, str]] | None = None) -> Iterator[str]:
    """A server that answers every GET with `status`, and notes the headers it got."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
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


def test_a_server_that_does_not_answer_is_given_up(rig: Rig) -> None:
    prober = Prober(rig.database, keys=rig.prober._keys, run_aside=rig._run, done=rig._done, limit_s=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        prober.ask(at(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), UNKNOWN)
        assert rig.ended.acquire(timeout=10)

    assert rig.rows()[0]["problem"] == "team did not answer within 0.2 seconds"


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
