"""Stopping a call: the server must see the client go at once, wherever the call stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from core.providers.events import TextDelta
from core.providers.gateways import Gateways
from tests.support.gateway_calls import KINDS, collect, gateway_to, request
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.provider_wire import RequestLog

_AT_ONCE_S = 1.0


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture(name="kind", params=KINDS)
def _kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="gateway")
async def _gateway(server: ProviderServer) -> AsyncIterator[Gateways]:
    async with gateway_to(server) as gateway:
        yield gateway


async def test_closing_the_iterator_closes_the_connection_at_once(server, gateway, kind):
    model = f"closed-{kind}"
    server.behave(model, say("one two three", ending="stall", break_after=2))

    async with aclosing(gateway.stream(request(model, kind=kind))) as stream:
        async for event in stream:
            if event == TextDelta(" two"):
                break

    await seen_leaving(server, model)


async def test_cancelling_the_task_closes_the_connection_at_once(server, gateway, kind):
    model = f"cancelled-{kind}"
    server.behave(model, say("one two three", ending="stall", break_after=2))
    task = asyncio.create_task(collect(gateway, request(model, kind=kind)))
    assert await asyncio.to_thread(server.wait_for, lambda logs: any(log.tokens_sent == 2 for log in _of(logs, model)))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await seen_leaving(server, model)


async def test_cancelling_before_the_first_token_closes_the_connection(server, gateway, kind):
    model = f"early-{kind}"
    server.behave(model, say("never sent", ending="stall", break_after=0))
    task = asyncio.create_task(collect(gateway, request(model, kind=kind)))
    assert await asyncio.to_thread(server.wait_for, lambda logs: _of(logs, model))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await seen_leaving(server, model)


async def test_a_call_cancelled_at_any_moment_leaves_nothing_open(server, gateway, kind):
    """Also while LiteLLM prepares it in a thread, connects, or waits for the first byte."""
    model = f"any-moment-{kind}"
    server.behave(model, say("one two", ending="stall", break_after=1))

    for turns in range(0, 400, 10):
        task = asyncio.create_task(collect(gateway, request(model, kind=kind)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await asyncio.to_thread(server.wait_for, lambda logs: all(log.done for log in _of(logs, model)))


async def seen_leaving(server: ProviderServer, model: str) -> None:
    """Wait until the server has seen the client of `model` go."""

    def left(logs: tuple[RequestLog, ...]) -> bool:
        return any(log.disconnected_at is not None for log in _of(logs, model))

    assert await asyncio.to_thread(server.wait_for, left, _AT_ONCE_S)


def _of(logs: tuple[RequestLog, ...], model: str) -> list[RequestLog]:
    return [log for log in logs if log.model == model]
