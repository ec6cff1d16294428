"""What a run of a page draws goes to the browser in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ui.bursts import Bursts

Say = Callable[[str], Awaitable[None]]

LONG_S = 600.0
OPENED = ["new_session", "delta", "script_finished"]


def _message(kind: str) -> dict[str, Any]:
    if kind == "close":
        return {"type": "websocket.close", "code": 1000}
    message = ForwardMsg()
    # Set, though it holds nothing.
    getattr(message, kind).SetInParent() if kind != "script_finished" else setattr(message, kind, 0)
    return {"type": "websocket.send", "bytes": message.SerializeToString()}


def _named(message: dict[str, Any]) -> str:
    data = message.get("bytes")
    return ForwardMsg.FromString(data).WhichOneof("type") or "" if data else message["type"].rpartition(".")[2]


def _talk(page: Callable[[Say, list[str]], Awaitable[None]], *, moment_s: float = LONG_S) -> list[str]:
    """What a browser gets of what `page` says, which sees what has come so far."""
    come: list[str] = []

    async def send(message) -> None:
        come.append(_named(message))

    async def app(_scope, _receive, send) -> None:
        await page(lambda kind: send(_message(kind)), come)

    async def receive() -> dict[str, Any]:
        return {}

    asyncio.run(Bursts(app, moment_s=moment_s)({"type": "websocket"}, receive, send))
    return come


async def _say(say: Say, kinds: list[str]) -> None:
    for kind in kinds:
        await say(kind)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - it waits for the loop
        await asyncio.sleep(0)


def test_what_a_page_draws_when_it_is_opened_comes_as_it_is_drawn():
    async def page(say, come):
        await _say(say, ["new_session", "delta"])
        assert come == ["new_session", "delta"]

    assert len(_talk(page)) == 2


def test_a_run_comes_when_it_is_over_in_its_order():
    async def page(say, come):
        await _say(say, OPENED)
        await _say(say, ["new_session", "delta", "page_info_changed"])
        for _ in range(20):
            await asyncio.sleep(0)
        assert come == OPENED
        await _say(say, ["script_finished", "session_status_changed"])
        await _until(lambda: len(come) == 8)

    assert _talk(page)[3:] == ["new_session", "delta", "page_info_changed", "script_finished", "session_status_changed"]


def test_a_run_that_goes_on_comes_after_a_moment_and_then_as_it_is_drawn():
    async def page(say, come):
        await _say(say, [*OPENED, "new_session", "delta"])
        await _until(lambda: len(come) == 5)
        await say("delta")
        assert len(come) == 6

    assert _talk(page, moment_s=0.001)[3:] == ["new_session", "delta", "delta"]


def test_every_run_is_kept_for_itself():
    async def page(say, come):
        await _say(say, OPENED)
        for runs in (2, 3):
            await _say(say, ["new_session", "delta"])
            assert len(come) == 3 * (runs - 1)
            await say("script_finished")
            await _until(lambda: len(come) == 3 * runs)  # noqa: B023 - waited for at once

    assert _talk(page) == OPENED * 3


def test_what_is_kept_comes_before_the_end_of_the_connection():
    async def page(say, _come):
        await _say(say, [*OPENED, "new_session", "delta", "close"])

    assert _talk(page)[3:] == ["new_session", "delta", "close"]


def test_who_sends_waits_for_a_browser_that_takes_nothing():
    come: list[str] = []
    takes = asyncio.Event()

    async def slow(message) -> None:
        if len(come) == len(OPENED):
            await takes.wait()
        come.append(_named(message))

    async def app(_scope, _receive, send) -> None:
        await _say(lambda kind: send(_message(kind)), [*OPENED, "new_session", "delta", "script_finished"])
        following = asyncio.create_task(send(_message("delta")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not following.done()
        takes.set()
        await following

    asyncio.run(Bursts(app, moment_s=LONG_S)({"type": "websocket"}, None, slow))

    assert come == [*OPENED, *OPENED, "delta"]


def test_who_sends_to_a_connection_that_is_gone_is_told():
    async def gone(_message) -> None:
        raise OSError

    async def app(_scope, _receive, send) -> None:
        await send(_message("delta"))

    async def receive() -> dict[str, Any]:
        return {}

    with pytest.raises(OSError):  # noqa: PT011 - as servers raise it
        asyncio.run(Bursts(app)({"type": "websocket"}, receive, gone))


def test_other_requests_pass():
    seen = []

    async def app(scope, receive, send) -> None:
        seen.append((scope, receive, send))

    asyncio.run(Bursts(app)({"type": "http"}, "receive", "send"))

    assert seen == [({"type": "http"}, "receive", "send")]
