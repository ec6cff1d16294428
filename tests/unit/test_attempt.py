"""One call to one model: its events in order, and a plain word for every way in which a stream goes wrong."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.catalog.models import ProviderSpec
from core.chat.attempt import Answer, patience_s, run_attempt, usage_of
from core.errors import ErrorClass, ProviderError
from core.providers.events import Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.scripted import Gate, ScriptedGateway, answer
from tests.support.turns import model

NOW = datetime(2026, 11, 23)  # noqa: DTZ001 - naive UTC is the store's own form
REQUEST = CompletionRequest(model=model(label="Tiny"), messages=[ChatMessage("user", "hello world")])
BROKEN = ProviderError(ErrorClass.SERVER, "It broke.", next_step="Try again.")


class Ticking:
    """A clock that moves on a second with every look."""

    def __init__(self):
        self.looks = 0

    def __call__(self):
        self.looks += 1
        return NOW + timedelta(seconds=self.looks)


async def play(*script, gateway=None, stall_s=5.0, request=REQUEST):
    """Run a script; returns the answer, the events passed on, the error and the gateway."""
    gateway = gateway or ScriptedGateway()
    if script:
        gateway.enqueue("gpt", *script)
    taken, events, error = Answer(started_at=NOW), [], None
    try:
        await run_attempt(gateway, request, answer=taken, emit=events.append, now=Ticking(), stall_s=stall_s)
    except Exception as raised:
        error = raised
    return taken, events, error, gateway


async def test_a_whole_answer_is_taken_in_and_passed_on_in_order():
    script = answer("Hello there", reasoning="Hm", served_model="tiny-1", input_tokens=7)

    taken, events, error, gateway = await play(*script)

    assert events == list(script)
    assert error is None
    assert ("".join(taken.text), taken.reasoning) == ("Hello there", ["Hm"])
    assert (taken.finish_reason, taken.upstream_model) == ("stop", "tiny-1")
    assert taken.usage == Usage(input_tokens=7, output_tokens=2)
    assert gateway.abandoned == ()


@pytest.mark.parametrize("first", [TextDelta("a"), ReasoningDelta("a")])
async def test_the_first_token_is_the_first_piece_that_is_not_empty(first):
    taken, _, _, _ = await play(Started(), TextDelta(""), ReasoningDelta(""), first, TextDelta("b"), Finished("stop"))

    assert taken.first_token_at == NOW + timedelta(seconds=1)
    assert taken.pieces == 2


async def test_an_answer_without_any_text_is_an_answer():
    taken, _, error, _ = await play(Started(), Finished("length"))

    assert (error, taken.pieces, taken.first_token_at, taken.finish_reason) == (None, 0, None, "length")


@pytest.mark.parametrize(
    ("script", "error_class", "says"),
    [
        (answer("Cut short", finish_reason=None), ErrorClass.TRUNCATED, "ended before the answer was finished"),
        ([], ErrorClass.TRUNCATED, "ended before the answer was finished"),
        ([TextDelta("Half"), BROKEN], ErrorClass.SERVER, "It broke."),
        ([TextDelta("Half"), Gate()], ErrorClass.STALL, "sent nothing for 0.02 seconds"),
        ([Gate()], ErrorClass.STALL, "sent nothing for 0.02 seconds"),
    ],
    ids=["no finish reason", "nothing at all", "an error", "a stall", "a stall before the first word"],
)
async def test_a_stream_that_goes_wrong_says_how_and_what_to_do(script, error_class, says):
    gateway = ScriptedGateway(fallback=lambda _: script)

    _, _, error, _ = await play(gateway=gateway, stall_s=0.02)

    assert error.error_class is error_class
    assert says in error.user_message
    assert error.next_step


async def test_a_stall_closes_the_upstream_connection():
    taken, _, _, gateway = await play(TextDelta("Half"), Gate(), *answer("never seen"), stall_s=0.02)

    assert gateway.abandoned == ("gpt",)
    assert taken.text == ["Half"]


async def test_every_event_starts_the_wait_anew():
    class Slow:
        async def stream(self, _request):
            for word in "abcdefghi":
                await asyncio.sleep(0.05)
                yield TextDelta(word)
            yield Finished("stop")

    taken, _, error, _ = await play(gateway=Slow(), stall_s=0.4)

    assert (error, "".join(taken.text)) == (None, "abcdefghi")


@pytest.mark.parametrize("after", [[BROKEN], [Gate()], []], ids=["an error", "silence", "the end of the stream"])
async def test_nothing_after_the_finish_reason_spoils_the_answer(after):
    taken, _, error, _ = await play(TextDelta("Whole"), Finished("stop"), *after, stall_s=0.02)

    assert (error, taken.text, taken.finish_reason) == (None, ["Whole"], "stop")


async def test_a_usage_block_after_the_finish_reason_is_still_read():
    usage = Usage(input_tokens=3, output_tokens=1)

    taken, _, _, _ = await play(TextDelta("Whole"), Finished("stop"), usage)

    assert taken.usage == usage


async def test_cancelling_closes_the_upstream_connection():
    gateway, gate = ScriptedGateway(), Gate()
    gateway.enqueue("gpt", TextDelta("Half"), gate, *answer("never seen"))
    taken = Answer(started_at=NOW)
    task = asyncio.create_task(
        run_attempt(gateway, REQUEST, answer=taken, emit=lambda _: None, now=Ticking(), stall_s=5)
    )
    await asyncio.to_thread(gate.wait_until_reached)

    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert gateway.abandoned == ("gpt",)
    assert taken.text == ["Half"]


async def test_a_time_out_of_the_gateways_own_is_not_called_a_stall():
    class OwnTimeout:
        async def stream(self, _request):
            yield TextDelta("Half")
            raise TimeoutError("a lock of mine")

    _, _, error, _ = await play(gateway=OwnTimeout())

    assert isinstance(error, TimeoutError)


async def test_a_gateway_that_fails_before_it_streams_is_an_error_like_any_other():
    class Broken:
        def stream(self, _request):
            raise LookupError("no such model")

    taken, _, error, _ = await play(gateway=Broken())

    assert isinstance(error, LookupError)
    assert taken.sent


@pytest.mark.parametrize(
    ("piece", "kept"), [("nul \x00", "nul ␀"), ("half \ud83d", "half �"), ("tab\t\n\r", "tab\t\n\r"), ("😀", "😀")]
)
async def test_what_no_store_can_hold_is_made_visible_for_readers_and_store_alike(piece, kept):
    taken, events, _, _ = await play(TextDelta(piece), ReasoningDelta(piece), Finished("stop"))

    assert events[:2] == [TextDelta(kept), ReasoningDelta(kept)]
    assert (taken.text, taken.reasoning) == ([kept], [kept])


REPORTED = Usage(input_tokens=70, output_tokens=30)
COST = Decimal("0.25")
NOTHING = Usage(input_tokens=0, output_tokens=0)
INPUT_ONLY = Usage(input_tokens=2 + 4, output_tokens=0)


@pytest.mark.parametrize(
    ("fields", "answered", "usage", "by_us"),
    [
        ({"sent": True, "text": ["hello world"], "usage": REPORTED}, True, REPORTED, False),
        ({"sent": True, "usage": REPORTED}, False, REPORTED, False),
        ({"sent": True, "text": ["hello ", "world"]}, True, Usage(input_tokens=6, output_tokens=2), True),
        (
            {"sent": True, "text": ["hello"], "usage": Usage(input_tokens=0, output_tokens=0, reported_cost_usd=COST)},
            True,
            Usage(input_tokens=6, output_tokens=1, reported_cost_usd=COST),
            True,
        ),
        ({"sent": True, "text": ["hello"]}, False, Usage(input_tokens=6, output_tokens=1), True),
        (
            {"sent": True, "reasoning": ["hello world"], "text": ["hello"]},
            True,
            Usage(input_tokens=6, output_tokens=3, reasoning_tokens=2),
            True,
        ),
        ({"sent": True}, True, INPUT_ONLY, True),
        ({"sent": True}, False, NOTHING, False),
        ({"sent": False}, True, NOTHING, False),
    ],
    ids=[
        "reported",
        "reported although it failed",
        "counted by us",
        "reported as nothing",
        "broken off",
        "with reasoning",
        "stopped before the first token",
        "refused",
        "never sent",
    ],
)
def test_tokens_are_the_providers_else_our_own_count_of_what_was_consumed(fields, answered, usage, by_us):
    assert usage_of(Answer(started_at=NOW, **fields), REQUEST, answered=answered) == (usage, by_us)


@pytest.mark.parametrize(("kind", "patience"), [("local", 120.0), ("openai", 30.0)])
def test_a_model_on_this_machine_may_read_longer_before_its_first_word(kind, patience):
    model = replace(REQUEST.model, provider=ProviderSpec(id="p", kind=kind))

    assert patience_s(model, stall_s=30.0) == patience


@pytest.mark.parametrize(
    ("script", "waited"),
    [([], "0.08 seconds"), ([Started()], "0.08 seconds"), ([TextDelta("One")], "0.02 seconds")],
    ids=["before anything", "after the connection", "after the first word"],
)
async def test_the_longer_patience_with_a_local_model_ends_with_its_first_word(script, waited):
    local = replace(REQUEST, model=replace(REQUEST.model, provider=ProviderSpec(id="p", kind="local")))

    _, _, error, _ = await play(*script, Gate(), stall_s=0.02, request=local)

    assert waited in error.user_message
