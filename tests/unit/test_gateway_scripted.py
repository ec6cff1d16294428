from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

import pytest

from core.catalog.models import ModelSpec, ProviderSpec
from core.errors import ErrorClass, ProviderError
from core.providers.events import Event, Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.scripted import Gate, Pause, ScriptedGateway, answer

MODEL = ModelSpec(id="m", label="M", provider=ProviderSpec(id="s", kind="scripted"), upstream="m")
REQUEST = CompletionRequest(model=MODEL, messages=[ChatMessage("user", "hello")])


async def play(gateway: ScriptedGateway, seen: list[Event] | None = None) -> list[Event]:
    """All events; those before an error or a gate are in `seen`."""
    events = [] if seen is None else seen
    async for event in gateway.stream(REQUEST):
        events.append(event)
    return events


async def test_scripts_play_in_the_order_they_were_enqueued():
    gateway = ScriptedGateway()
    gateway.enqueue("m", TextDelta("first"))
    gateway.enqueue("m", TextDelta("second"), Pause(0), Finished("stop"))

    assert [TextDelta("first")] == await play(gateway)
    assert [TextDelta("second"), Finished("stop")] == await play(gateway)
    assert gateway.history == (REQUEST, REQUEST)


async def test_an_error_in_a_script_is_raised_after_what_came_before():
    gateway = ScriptedGateway()
    gateway.enqueue("m", TextDelta("half"), ProviderError(ErrorClass.STALL, "It stopped."))
    seen: list[Event] = []

    with pytest.raises(ProviderError, match="It stopped"):
        await play(gateway, seen)

    assert [TextDelta("half")] == seen
    assert gateway.abandoned == ()


async def test_a_call_nobody_expected_fails():
    with pytest.raises(ProviderError, match="No script is left for m"):
        await play(ScriptedGateway())


async def test_the_fallback_answers_what_no_script_does():
    gateway = ScriptedGateway(fallback=lambda request: answer(request.messages[-1].content))

    assert TextDelta("hello") in await play(gateway)


def test_a_gate_holds_a_stream_of_another_thread_until_it_opens():
    gateway, gate = ScriptedGateway(), Gate()
    seen: list[Event] = []
    gateway.enqueue("m", TextDelta("before"), gate, TextDelta("after"))
    thread = threading.Thread(target=lambda: asyncio.run(play(gateway, seen)))
    thread.start()

    assert gate.wait_until_reached()
    assert [TextDelta("before")] == seen

    gate.open()
    thread.join(5)

    assert [TextDelta("before"), TextDelta("after")] == seen


async def test_an_open_gate_lets_pass():
    gateway, gate = ScriptedGateway(), Gate()
    gate.open()
    gateway.enqueue("m", gate, TextDelta("after"))

    assert [TextDelta("after")] == await play(gateway)


async def test_a_stream_cancelled_at_a_gate_counts_as_abandoned():
    gateway, gate = ScriptedGateway(), Gate()
    gateway.enqueue("m", TextDelta("before"), gate)
    task = asyncio.create_task(play(gateway))
    assert await asyncio.to_thread(gate.wait_until_reached)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert gateway.wait_until_abandoned()
    assert gateway.abandoned == ("m",)


@pytest.mark.parametrize(("taken", "abandoned"), [(1, ("m",)), (4, ())])
async def test_a_reader_that_leaves_before_the_finish_abandons(taken, abandoned):
    gateway = ScriptedGateway()
    gateway.enqueue("m", *answer("one"))

    async with aclosing(gateway.stream(REQUEST)) as stream:
        for _ in range(taken):
            await anext(stream)

    assert abandoned == gateway.abandoned


def test_an_answer_is_cut_into_words_that_count_as_tokens():
    script = answer("two words", reasoning="hm", served_model="m-2", input_tokens=3)

    assert (
        Started("m-2"),
        ReasoningDelta("hm"),
        TextDelta("two"),
        TextDelta(" words"),
        Usage(input_tokens=3, output_tokens=2),
        Finished("stop"),
    ) == script


def test_an_answer_without_a_finish_reason_is_broken():
    assert not any(isinstance(step, Finished) for step in answer("cut", finish_reason=None))
