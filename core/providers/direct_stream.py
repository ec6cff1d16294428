"""Reads answers in OpenAI's chat completions format as events, straight from the event stream.

What servers do beside the format is taken as it is meant: comments and pings between the chunks, no [DONE], an error in
place of a chunk, a whole answer where a stream was asked for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, suppress
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent

from core.providers.events import Event, ReasoningDelta, Started, TextDelta, ToolCallPiece
from core.providers.wire_calls import CallPieces
from core.providers.wire_end import End, closing_events
from core.providers.wire_logprobs import logprobs_of

_DONE = "[DONE]"
# The end of the body comes in the same packet as the last word, or it does not come.
_LAST_BYTES_S = 0.1
_EVENT_STREAM = "text/event-stream"
_NOTHING: Mapping[str, Any] = {}
# What `CallPieces` looks for; most deltas have neither.
_OF_CALLS = frozenset({"tool_calls", "thinking_blocks"})


class ErrorEventError(Exception):
    """The server sent an error in place of a chunk. `code` is its own: an HTTP status, a word, or None."""

    def __init__(self, error: Any) -> None:
        """`error` is what stood in the event."""
        named = error if isinstance(error, Mapping) else {"message": str(error)}
        self.code = named.get("code")
        words = (named.get("message"), named.get("type"), self.code)
        super().__init__("; ".join(str(word) for word in words if word))


async def read_events(
    response: httpx.Response, *, streams_calls: bool = False, billed: str | None = None
) -> AsyncGenerator[Event, None]:
    """Yield the events of an answer whose body was not read yet; closing the response is the caller's.

    The calls of tools come when they are whole, and none of an answer that was cut; with `streams_calls` their pieces
    come before. `Usage` and `Finished` come last, each only when the provider sent it. `billed` is what a header says
    that the call costs, in USD; the usage itself comes first. Raises ErrorEventError, JSONDecodeError for what is no
    JSON, httpx.HTTPError.
    """
    end, calls = End(), CallPieces()
    events = _events_of(response)
    async with aclosing(events):
        try:
            async with aclosing(_chunks(events)) as chunks:
                async for event in _taken(chunks, end, calls):
                    if streams_calls or not isinstance(event, ToolCallPiece):
                        yield event
        except Exception:
            # The answer is whole: a connection that breaks behind it changes nothing.
            if end.reason is None:
                raise
        if end.usage is not None and billed and end.usage.get("cost") is None:
            end.usage = {**end.usage, "cost": billed}
        for event in closing_events(end, calls):
            yield event
        await _read_to_the_end(events)


async def _events_of(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The data of every event of the body; a whole answer in JSON is one event."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        yield (await response.aread()).decode("utf-8", "replace")
        return
    # Servers say text/plain and nothing at all; who sends no events has none in it.
    response.headers["content-type"] = _EVENT_STREAM
    async with aclosing(EventSource(response).aiter_sse()) as events:
        async for event in events:
            yield _error_data(event) if event.event == "error" else event.data


def _error_data(event: ServerSentEvent) -> str:
    """An event named so holds an error, whatever its form."""
    try:
        found = json.loads(event.data)
    except ValueError:
        found = event.data
    error = found.get("error", found) if isinstance(found, dict) else found
    return json.dumps({"error": error or "unknown"})


async def _chunks(events: AsyncGenerator[str, None]) -> AsyncGenerator[Mapping[str, Any], None]:
    async for data in events:
        if data.startswith(_DONE):
            return
        chunk = json.loads(data) if data.strip() else None
        if not isinstance(chunk, dict):
            continue
        if error := chunk.get("error"):
            raise ErrorEventError(error)
        if chunk.get("object") == "error":
            # vLLM's form.
            raise ErrorEventError(chunk)
        yield chunk


async def _taken(
    chunks: AsyncGenerator[Mapping[str, Any], None], end: End, calls: CallPieces
) -> AsyncGenerator[Event, None]:
    started = False
    async for chunk in chunks:
        if not started:
            started = True
            yield Started(chunk.get("model") or None)
        for event in _take(chunk, end, calls):
            yield event


def _take(chunk: Mapping[str, Any], end: End, calls: CallPieces) -> Iterator[Event]:
    if isinstance(usage := chunk.get("usage"), dict):
        end.usage = usage
    end.service_tier = chunk.get("service_tier") or end.service_tier
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else _NOTHING
    if choice.get("finish_reason") is not None:
        end.reason = str(choice["finish_reason"])
    # A whole answer has a message where a stream has deltas.
    delta = choice.get("delta") or choice.get("message")
    if not isinstance(delta, dict):
        return
    # OpenRouter and newer vLLM call it `reasoning`.
    if reasoning := _text(delta.get("reasoning_content") or delta.get("reasoning")):
        yield ReasoningDelta(reasoning)
    if text := _text(delta.get("content")):
        yield TextDelta(text)
    if choice.get("logprobs") and (told := logprobs_of(choice)) is not None:
        yield told
    if delta.keys() & _OF_CALLS:
        yield from calls.take(delta)


def _text(content: Any) -> str:
    """A piece of text; of content in blocks, the text in them."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else ()
    return "".join(str(block.get("text") or "") for block in blocks if isinstance(block, dict))


async def _read_to_the_end(events: AsyncGenerator[str, None]) -> None:
    """Take what follows the last word: only a connection whose body was read to its end serves another call."""
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(_LAST_BYTES_S):
            async for _ in events:
                pass
