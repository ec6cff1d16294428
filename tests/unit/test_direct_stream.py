"""What servers do beside OpenAI's format, read without a server: the bytes are the test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.direct_stream import ErrorEventError, read_events
from core.providers.events import Event, Finished, Logprobs, ReasoningDelta, Started, TextDelta, ToolCalled, Usage
from core.providers.parts import ToolCall

COUNTED = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}


class Body(httpx.AsyncByteStream):
    """A body that comes in these pieces; an exception among them breaks the connection there."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def chunk(text: str | None = None, *, reason: str | None = None, **fields: Any) -> str:
    delta = {} if text is None else {"content": text}
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return f"data: {json.dumps({'model': 'm', 'choices': choices, **fields}, ensure_ascii=False)}\n\n"


DONE = "data: [DONE]\n\n"


async def read(
    *pieces: str | bytes | Exception, kind: str = "text/event-stream", billed: str | None = None
) -> list[Event]:
    body = Body(*(piece.encode() if isinstance(piece, str) else piece for piece in pieces))
    response = httpx.Response(200, headers={"content-type": kind}, stream=body)
    return [event async for event in read_events(response, billed=billed)]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@given(cuts=st.lists(st.integers(0, 400), max_size=6), ending=st.sampled_from(["\n", "\r\n", "\r"]))
async def test_a_stream_reads_the_same_however_it_is_cut(cuts, ending):
    """In the middle of a line, of a line's end, of a character: and U+2028 ends no line."""
    words = ("naïve ", "漢字 ", "a\u2028b ", "🙂")
    whole = "".join([*map(chunk, words), chunk(reason="stop"), DONE]).replace("\n", ending).encode()
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]

    events = await read(*(whole[start:end] for start, end in pairwise(places)))

    assert events == [Started("m"), *map(TextDelta, words), Finished("stop")]


async def test_comments_pings_and_empty_events_are_passed_over():
    events = await read(
        ": OPENROUTER PROCESSING\n\n", "event: ping\ndata:\n\n", "data: null\n\n", chunk("all"), ":\n\n"
    )

    assert events == [Started("m"), TextDelta("all")]


async def test_an_answer_without_the_last_word_is_whole_when_its_reason_came():
    assert (await read(chunk("all"), chunk(reason="length")))[-1] == Finished("length")


async def test_what_follows_the_last_word_is_not_read_as_answer():
    assert text_of(await read(chunk("all"), chunk(reason="stop"), DONE, chunk("more"))) == "all"


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut")])
async def test_a_connection_that_breaks_behind_the_end_changes_nothing(error):
    events = await read(chunk("all"), chunk(reason="stop"), chunk(usage=COUNTED), error)

    assert events[-2:] == [Usage(input_tokens=3, output_tokens=1), Finished("stop")]


async def test_a_connection_that_breaks_before_the_end_is_raised():
    with pytest.raises(httpx.ReadError):
        await read(chunk("half"), httpx.ReadError("reset"))


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        ('data: {"error": {"message": "Overloaded", "code": 503}}', 503, "Overloaded; 503"),
        ('data: {"error": "out of memory"}', None, "out of memory"),
        ('data: {"object": "error", "message": "too long", "code": 400}', 400, "too long; 400"),
        ('event: error\ndata: {"message": "gone", "type": "server_error"}', None, "gone; server_error"),
        ("event: error\ndata: gone", None, "gone"),
    ],
)
async def test_an_error_in_place_of_a_chunk_is_one(event, code, message):
    with pytest.raises(ErrorEventError) as caught:
        await read(chunk("half"), f"{event}\n\n")

    assert (caught.value.code, str(caught.value)) == (code, message)


async def test_a_whole_answer_where_a_stream_was_asked_for_is_an_answer():
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"x": 1}'}}
    message = {"role": "assistant", "content": "all", "reasoning_content": "hm", "tool_calls": [call]}
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]

    events = await read(json.dumps({"model": "m", "choices": choices, "usage": COUNTED}), kind="application/json")

    assert events == [
        Started("m"),
        ReasoningDelta("hm"),
        TextDelta("all"),
        ToolCalled(ToolCall(id="c1", name="add", arguments='{"x": 1}')),
        Usage(input_tokens=3, output_tokens=1),
        Finished("tool_calls"),
    ]


async def test_an_error_with_the_status_of_a_success_is_an_error():
    with pytest.raises(ErrorEventError, match="no such model"):
        await read('{"error": {"message": "no such model"}}', kind="application/json; charset=utf-8")


async def test_a_page_in_place_of_an_answer_is_no_answer():
    assert await read("<html>\n<p>Sign in first</p>\n</html>", kind="text/html") == []


async def test_how_likely_tokens_are_is_taken_as_far_as_it_can_be_read():
    """Some servers send what JSON has no word for, and fields of their own."""
    beside = [{"token": "b", "logprob": float("-inf")}, {"token": "c", "logprob": -2}]
    good = {"token": "a", "logprob": -0.1, "bytes": [97], "rank": 1, "top_logprobs": beside}
    content = [good, {"token": "d", "logprob": float("nan")}, "e", {"token": 5, "logprob": -1}]
    choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": None, "logprobs": {"content": content}}
    unusable = {**choice, "logprobs": {"tokens": ["a"], "token_logprobs": [-0.1]}}

    events = await read(*(f"data: {json.dumps({'choices': [one]})}\n\n" for one in (choice, unusable)), DONE)

    other = {"token": "c", "logprob": -2, "bytes": None}
    told = Logprobs(({"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": [other]},))
    assert events == [Started(), TextDelta("a"), told, TextDelta("a")]


async def test_content_in_blocks_is_its_text():
    blocks = [
        {"type": "text", "text": "one "},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "two"},
    ]
    choices = [{"index": 0, "delta": {"content": blocks}}]

    assert text_of(await read(f"data: {json.dumps({'choices': choices})}\n\n")) == "one two"


@pytest.mark.parametrize("choices", [None, [], [None], [{}], [{"delta": None}], [{"delta": "text"}], {"0": {}}, "text"])
async def test_a_chunk_of_another_shape_holds_nothing(choices):
    assert await read(f"data: {json.dumps({'choices': choices})}\n\n", chunk("all")) == [
        Started(None),
        TextDelta("all"),
    ]


@pytest.mark.parametrize(
    ("said", "billed", "taken"),
    [(None, "0.0021", "0.0021"), (0.5, "0.0021", "0.5"), (None, None, None), (None, "nothing", None)],
)
async def test_what_a_header_says_of_the_cost_counts_where_the_usage_says_nothing(said, billed, taken):
    usage = COUNTED if said is None else {**COUNTED, "cost": said}

    events = await read(chunk("all"), chunk(reason="stop", usage=usage), DONE, billed=billed)

    cost_usd = None if taken is None else Decimal(taken)
    assert events[-2] == Usage(input_tokens=3, output_tokens=1, reported_cost_usd=cost_usd)


async def test_the_level_of_service_is_the_one_that_was_given():
    events = await read(chunk("all", service_tier="flex"), chunk(reason="stop", usage=COUNTED))

    assert events[-2] == Usage(input_tokens=3, output_tokens=1, service_tier="flex")
