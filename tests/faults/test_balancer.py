"""Replicas that are being stopped behind the nginx of deploy/: a script's call goes to another one, and only once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from api.draining import Draining
from tests.support.balancer import balancer, nginx
from tests.support.live_server import free_port, wait_for

pytestmark = pytest.mark.slow

CALL = "/v1/chat/completions"


@dataclass(slots=True, kw_only=True)
class Replica:
    """What answers behind the balancer: the middleware of the app, and behind it a noter of the `bodies` of calls."""

    port: int = field(default_factory=free_port)
    draining: bool = False
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path == "/_stcore/health":
            return PlainTextResponse("ok")
        self.bodies.append(await request.body())
        told = {"port": self.port, "method": request.method, "token": request.headers.get("authorization")}
        return JSONResponse(told, self.status)


@contextmanager
def serving(replica: Replica) -> Iterator[Replica]:
    """The replica on its port."""
    app = Draining(replica, draining=lambda: replica.draining)
    server = uvicorn.Server(uvicorn.Config(app, port=replica.port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the replica")
        yield replica
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(name="replicas", scope="module")
def _replicas() -> Iterator[list[Replica]]:
    with ExitStack() as stack:
        yield [stack.enter_context(serving(Replica())) for _ in range(2)]


@pytest.fixture(name="http")
def _http(replicas: list[Replica], tmp_path: Path) -> Iterator[httpx.Client]:
    program = nginx()
    if program is None:
        pytest.skip("there is no nginx on this machine")
    for replica in replicas:
        replica.draining, replica.status = False, 200
        replica.bodies.clear()
    addresses = [f"127.0.0.1:{replica.port}" for replica in replicas]
    # One for each test: it leaves those out that it found stopping a moment before.
    with (
        balancer(program, tmp_path, addresses) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=10, headers={"authorization": "Bearer sb-1"}) as client,
    ):
        # What the balancer itself asked for when it was started.
        for replica in replicas:
            replica.bodies.clear()
        yield client


@pytest.mark.parametrize("leaving", [0, 1])
def test_calls_of_a_replica_that_is_being_stopped_go_to_the_other(http, replicas, leaving) -> None:
    going, staying = replicas[leaving], replicas[1 - leaving]
    going.draining = True
    # Some are larger than what is kept in memory.
    bodies = [b"%d " % at * (10 ** (at % 6)) for at in range(30)]

    answers = [http.post(CALL, content=body) for body in bodies]

    told = {"port": staying.port, "method": "POST", "token": "Bearer sb-1"}
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, told)] * 30
    assert (staying.bodies, going.bodies) == (bodies, [])
    assert http.get("/api/usage").json()["port"] == staying.port
    assert not any("x-accel-redirect" in answer.headers for answer in answers)


def test_a_503_of_a_call_that_was_begun_is_the_answer(http, replicas) -> None:
    for replica in replicas:
        replica.status = 503

    answers = [http.post(CALL, content=b"x") for _ in range(10)]

    assert [answer.status_code for answer in answers] == [503] * 10
    assert sum(len(replica.bodies) for replica in replicas) == 10


def test_where_all_are_being_stopped_a_script_is_told_so_in_its_shape(http, replicas) -> None:
    for replica in replicas:
        replica.draining = True

    answer = http.post(CALL, content=b"x")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
    assert answer.headers["retry-after"] == "5"
    assert [replica.bodies for replica in replicas] == [[], []]


def test_what_is_too_large_is_refused_in_the_same_shape(http, replicas) -> None:
    answer = http.post(CALL, content=b"x" * 21_000_000)

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
    assert [replica.bodies for replica in replicas] == [[], []]


def test_who_asks_a_replica_itself_is_told_to_come_back(replicas) -> None:
    replicas[0].draining = True

    answer = httpx.post(f"http://127.0.0.1:{replicas[0].port}{CALL}", trust_env=False)

    assert (answer.status_code, answer.headers["retry-after"], answer.headers["connection"]) == (503, "1", "close")
    assert "x-accel-redirect" not in answer.headers
