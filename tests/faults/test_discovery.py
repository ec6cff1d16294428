"""Asking endpoints for their models over a real socket: what is kept when they fail, and that nobody waits."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.catalog.discovery import LIFETIME_MS, Discovery, Reported, UnexpectedAnswerError, ask_endpoint
from core.catalog.models import ProviderSpec
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer, port_nobody_listens_on

TIMEOUT_S = 20


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("Hello"))
        yield provider


def endpoint(api_base: str, **fields) -> ProviderSpec:
    return ProviderSpec(id="lab", kind="openai", api_base=api_base, discover=True, **fields)


class Recorder(ThreadingHTTPServer):
    """Answers each path with what `answers` holds for it: (status, body)."""

    daemon_threads = True

    def __init__(self, answers) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.seen: list[tuple[str, str | None]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answers.get(self.path, (404, "{}"))
        self.send_response(status)
        if status in {301, 302, 307}:
            self.send_header("Location", body)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(answers) -> Iterator[tuple[Recorder, str]]:
    with Recorder(answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server, f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def test_an_openai_compatible_server_is_asked(provider):
    assert ask_endpoint(endpoint(provider.api_base)) == [Reported("swift")]


def test_ollamas_own_list_is_the_second_try():
    tags = json.dumps({"models": [{"name": "llama3.2:1b"}]})
    with answering({"/api/tags": (200, tags)}) as (server, base):
        assert ask_endpoint(endpoint(base)) == [Reported("llama3.2:1b")]
        assert [path for path, _ in server.seen] == ["/v1/models", "/api/tags"]


def test_the_key_goes_along_and_never_to_another_address():
    with answering({}) as (elsewhere, other), answering({"/v1/models": (302, f"{other}/models")}) as (server, base):
        with pytest.raises(UnexpectedAnswerError, match="302"):
            ask_endpoint(endpoint(base), key="secret")
        assert server.seen == [("/v1/models", "Bearer secret")]
        assert elsewhere.seen == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, "{}"), "refuses the key"),
        ((500, "oops"), "answered 500"),
        ((200, "<html>"), "did not answer with a list"),
        ((200, "{}"), "did not answer with a list"),
    ],
)
def test_what_went_wrong_is_said_in_words(answer, words):
    with answering({"/v1/models": answer}) as (_, base):
        discovery = Discovery()
        discovery.states([endpoint(base)])
        assert discovery.wait(TIMEOUT_S)

        state = discovery.states([endpoint(base)])["lab"]
        assert words in state.problem
        assert state.models == ()


def test_a_server_that_is_not_there_disturbs_nobody(caplog):
    caplog.set_level(logging.INFO)
    missing = endpoint(f"http://127.0.0.1:{port_nobody_listens_on()}/v1")
    discovery = Discovery()

    assert discovery.states([missing]) == {}
    assert discovery.wait(TIMEOUT_S)
    assert discovery.states([missing])["lab"].problem == "not reachable"
    assert caplog.records == []


def test_the_last_good_answer_stays_when_the_server_goes(provider):
    now = [0.0]
    lab = endpoint(provider.api_base)
    discovery = Discovery(now_ms=lambda: now[0])
    discovery.states([lab])
    assert discovery.wait(TIMEOUT_S)
    good = discovery.states([lab])
    assert good["lab"].models == (Reported("swift"),)
    provider.__exit__()

    now[0] = LIFETIME_MS - 1
    assert discovery.states([lab]) is good
    assert discovery.wait(TIMEOUT_S)
    assert discovery.states([lab]) is good
    now[0] = LIFETIME_MS
    discovery.states([lab])
    assert discovery.wait(TIMEOUT_S)

    state = discovery.states([lab])["lab"]
    assert (state.models, state.problem) == ((Reported("swift"),), "not reachable")


def test_asking_again_does_not_wait_for_the_lifetime(provider):
    lab = endpoint(provider.api_base)
    discovery = Discovery(now_ms=lambda: 0.0)
    discovery.states([lab])
    assert discovery.wait(TIMEOUT_S)
    provider.behave("another", say("Hi"))

    discovery.ask_again()
    assert [model.name for model in discovery.states([lab])["lab"].models] == ["swift"]
    assert discovery.wait(TIMEOUT_S)

    assert [model.name for model in discovery.states([lab])["lab"].models] == ["another", "swift"]


def test_an_endpoint_with_another_address_starts_anew(provider):
    discovery = Discovery(now_ms=lambda: 0.0)
    discovery.states([endpoint(provider.api_base)])
    assert discovery.wait(TIMEOUT_S)
    moved = endpoint(f"http://127.0.0.1:{port_nobody_listens_on()}/v1")

    discovery.states([moved])
    assert discovery.wait(TIMEOUT_S)

    assert discovery.states([moved])["lab"].models == ()


def test_nobody_is_asked_after_the_end_and_nobody_who_does_not_discover(provider):
    silent = ProviderSpec(id="quiet", kind="openai", api_base=provider.api_base)
    discovery = Discovery()
    assert discovery.states([silent]) == {}
    discovery.close()

    assert discovery.states([endpoint(provider.api_base)]) == {}
    assert discovery.wait(0)
