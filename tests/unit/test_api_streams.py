"""The body of a stream, without a server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from datetime import datetime

from api.completion_answer import Served
from api.completion_chunks import DONE, HEARTBEAT
from api.completions import stream_of
from api.following import following
from core.chat.admission import TurnRequest
from core.chat.attempt import Answer
from core.chat.conversation import Message
from core.chat.live_turn import LiveTurn
from core.chat.turn_record import TurnIds
from core.providers.events import Event, Finished, TextDelta
from core.providers.gateway import CompletionRequest
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-01-01")
ANSWER = Message(
    id="a",
    conversation_id="c",
    parent_id=None,
    turn_id="t",
    role="assistant",
    content="Hello there.",
    status="complete",
    created_at=NOW,
    served_model="gpt",
    finish_reason="stop",
)


def running() -> LiveTurn:
    return LiveTurn(
        ids=TurnIds(turn="t", conversation="c", question="q", answer="a"),
        request=TurnRequest(user_id="ann", model_id="gpt"),
        model=model(),
        started_at=NOW,
        completion=CompletionRequest(model=model(), messages=[]),
        answer=Answer(started_at=NOW),
    )


async def served() -> Served:
    return Served(answer=ANSWER, figures=None, attempts=1)


def body(live: LiveTurn, follower, *, heartbeat_s: float) -> AsyncIterator[str]:
    return stream_of(live, follower, served, tells_usage=False, heartbeat_s=heartbeat_s)


async def test_a_slow_model_is_waited_for_with_comments() -> None:
    live = running()
    async with following(live) as follower:
        stream = body(live, follower, heartbeat_s=0)
        assert '"role":"assistant"' in await anext(stream)
        assert [await anext(stream), await anext(stream)] == [HEARTBEAT, HEARTBEAT]
        live.buffer.append(TextDelta("Hello"))
        assert '"content":"Hello"' in await anext(stream)
        assert await anext(stream) == HEARTBEAT
        live.result = ANSWER
        live.buffer.end()
        assert (await anext(stream)).endswith(DONE)


async def test_every_wait_ends_in_its_own_time_however_many_there_were() -> None:
    live, clock = running(), asyncio.get_running_loop().time
    async with following(live) as follower:
        for _ in range(3):
            live.buffer.append(TextDelta("Hello"))
            assert await follower.read(timeout_s=60)
        began = clock()
        assert await follower.read(timeout_s=0.02) == ()
        assert 0.02 <= clock() - began < 5
        live.buffer.append(TextDelta("Hello"))
        assert await follower.read(timeout_s=0.02)
        assert await follower.read(timeout_s=0.01) == ()
        waiting = asyncio.create_task(follower.read(timeout_s=60))
        ended, _ = await asyncio.wait({waiting}, timeout=0.03)
        assert not ended
        live.buffer.append(TextDelta("there"))
        assert await waiting == [TextDelta("there")]


async def test_words_that_are_there_go_out_with_the_opening() -> None:
    live = running()
    async with following(live) as follower:
        live.buffer.append(TextDelta("Hello"))
        await follower.wait_for_words(timeout_s=5)
        first = await anext(body(live, follower, heartbeat_s=5))

    events = [json.loads(event.removeprefix("data: ")) for event in first.strip().split("\n\n")]
    assert [event["choices"][0]["delta"] for event in events] == [
        {"role": "assistant", "content": ""},
        {"content": "Hello"},
    ]


async def test_an_answer_without_a_word_is_opened_before_it_ends() -> None:
    live = running()
    async with following(live) as follower:
        live.buffer.append(Finished("stop"))
        live.result = ANSWER
        live.buffer.end()
        await follower.wait_for_words(timeout_s=5)
        pieces = [piece async for piece in body(live, follower, heartbeat_s=5)]

    assert "".join(pieces).index('"role":"assistant"') < "".join(pieces).index('"finish_reason":"stop"')
    assert pieces[-1].endswith(DONE)


async def test_what_another_thread_adds_wakes_the_stream() -> None:
    live = running()

    def write() -> None:
        for piece in ("Hello", " ", "there."):
            live.buffer.append(TextDelta(piece))
        live.buffer.append(Finished("stop"))
        live.result = ANSWER
        live.buffer.end()

    async with following(live) as follower:
        stream = body(live, follower, heartbeat_s=60)
        await anext(stream)
        writer = threading.Thread(target=write)
        writer.start()
        text = "".join([chunk async for chunk in stream])
        writer.join()
    assert HEARTBEAT not in text
    assert text.endswith(DONE)
    assert "there." in text


async def test_news_of_several_turns_at_once_reach_every_reader() -> None:
    turns = [running() for _ in range(5)]

    def write() -> None:
        for piece in ("Hello", " ", "there."):
            for live in turns:
                live.buffer.append(TextDelta(piece))
        for live in turns:
            live.buffer.end()

    async def said(live: LiveTurn) -> str:
        async with following(live) as follower:
            events: list[Event] = []
            while not follower.ended:
                events += await follower.read(timeout_s=5)
        return "".join(event.text for event in events if isinstance(event, TextDelta))

    reading = [asyncio.create_task(said(live)) for live in turns]
    await asyncio.sleep(0)
    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()

    for text in await asyncio.gather(*reading):
        assert text.startswith("Hello")
    for thread in threads:
        thread.join()


async def test_what_a_busy_loop_adds_is_gathered_and_comes_whole() -> None:
    turns = [running() for _ in range(4)]

    async def write() -> None:
        for number in range(300):
            turns[number % 4].buffer.append(TextDelta(f"{number} "))
            await asyncio.sleep(0)
        # Nothing rings after the last piece but for the end of one turn.
        for live in turns[:1]:
            live.buffer.end()

    async def said(live: LiveTurn, pieces: int) -> list[str]:
        async with following(live) as follower:
            await follower.wait_for_words(timeout_s=5)
            texts: list[str] = []
            while len(texts) < pieces:
                events = await follower.read(timeout_s=5)
                assert events
                texts += [event.text for event in events if isinstance(event, TextDelta)]
        return texts

    reading = [asyncio.create_task(said(live, 75)) for live in turns]
    await asyncio.sleep(0)
    writer = threading.Thread(target=asyncio.run, args=(write(),))
    writer.start()

    for place, texts in enumerate(await asyncio.gather(*reading)):
        assert texts == [f"{number} " for number in range(place, 300, 4)]
    writer.join()


async def test_who_waits_for_the_end_is_woken_by_nothing_else() -> None:
    live = running()
    async with following(live) as follower:
        waiting = asyncio.create_task(follower.wait_until_ended())
        await asyncio.sleep(0)
        for _ in range(3):
            live.buffer.append(TextDelta("Hello"))
            await asyncio.sleep(0)
        assert not follower.rung.is_set()
        live.buffer.end()
        await asyncio.wait_for(waiting, 5)

    assert follower.ended
