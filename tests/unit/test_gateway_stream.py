from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from core.providers.events import Event, Finished, Logprobs, Started, TextDelta, Usage
from core.providers.litellm_stream import read_events


def chunk(text: str | None = None, *, finish_reason: str | None = None, usage: dict[str, int] | None = None) -> Any:
    choice = SimpleNamespace(delta=SimpleNamespace(content=text), finish_reason=finish_reason)
    return SimpleNamespace(model="m", choices=[choice], usage=usage)


class FakeWrapper:
    """LiteLLM's stream as far as it is read: chunks to hand out, chunks it kept, and what it noted about the end."""

    completion_stream = None
    sent_stream_usage = False
    intermittent_finish_reason = None

    def __init__(self, *given: Any, kept: tuple[Any, ...] = (), received: str | None = None) -> None:
        self._given = given
        self.chunks = list(kept)
        self.received_finish_reason = received
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self._given:
            if isinstance(item, Exception):
                raise item
            yield item

    async def aclose(self) -> None:
        self.closed = True


async def read(wrapper: FakeWrapper) -> list[Event]:
    return [event async for event in read_events(wrapper)]


async def test_a_finish_reason_that_litellm_made_up_is_not_taken():
    wrapper = FakeWrapper(chunk("half"), chunk(finish_reason="stop"))

    assert await read(wrapper) == [Started("m"), TextDelta("half")]
    assert wrapper.closed


async def test_a_connection_that_breaks_behind_the_end_changes_nothing():
    end = chunk(finish_reason="length")
    counted = chunk(usage={"prompt_tokens": 3, "completion_tokens": 1})
    wrapper = FakeWrapper(chunk("all"), end, httpx.ReadError("reset"), kept=(counted,), received="length")

    assert await read(wrapper) == [
        Started("m"),
        TextDelta("all"),
        Usage(input_tokens=3, output_tokens=1),
        Finished("length"),
    ]


async def test_a_connection_that_breaks_before_the_end_is_raised():
    wrapper = FakeWrapper(chunk("half"), httpx.ReadError("reset"))

    with pytest.raises(httpx.ReadError):
        await read(wrapper)

    assert wrapper.closed


async def test_a_usage_older_than_the_last_text_counts_only_a_part():
    early = chunk(usage={"prompt_tokens": 3, "completion_tokens": 1})
    wrapper = FakeWrapper(chunk("half"), kept=(early, chunk("half")))

    assert not any(isinstance(event, Usage) for event in await read(wrapper))


@pytest.mark.parametrize(
    ("sent", "taken"),
    [("stop", "stop"), ("eos", "stop"), ("max_tokens", "length"), ("function_call", "tool_calls")],
)
async def test_finish_reasons_have_four_names(sent, taken):
    wrapper = FakeWrapper(chunk("all"), chunk(finish_reason=sent), received=sent)

    assert (await read(wrapper))[-1] == Finished(taken)


async def test_a_chunk_without_choices_or_delta_is_passed_over():
    empty = SimpleNamespace(model="m", choices=[], usage=None)
    bare = SimpleNamespace(model="m", choices=[SimpleNamespace(delta=None, finish_reason=None)], usage=None)

    assert await read(FakeWrapper(empty, bare, chunk("all"))) == [Started("m"), TextDelta("all")]


async def test_how_likely_tokens_are_comes_through_litellm_too():
    odd = SimpleNamespace(token="all", logprob=-0.25, bytes=None, top_logprobs=[])
    said = chunk("all")
    said.choices[0].logprobs = SimpleNamespace(content=[odd])

    told = Logprobs(({"token": "all", "logprob": -0.25, "bytes": None, "top_logprobs": []},))
    assert await read(FakeWrapper(said)) == [Started("m"), TextDelta("all"), told]
