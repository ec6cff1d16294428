"""Anthropic's wire format through LiteLLM: usage in two places, cache counts beside the total, thinking apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from core.catalog.models import Capability, ModelSpec, ProviderSpec
from core.providers.endpoints import Endpoint
from core.providers.events import Event, Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.litellm_gateway import LiteLLMGateway
from tests.support.provider_behaviour import Canned
from tests.support.provider_server import ProviderServer

USAGE = {"input_tokens": 10, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 90, "output_tokens": 1}
SHORT = (ChatMessage("system", "be brief"), ChatMessage("user", "hello"))
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-served", "content": []}
EVENTS = (
    {"type": "message_start", "message": {**MESSAGE, "usage": USAGE}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": " there"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 42}},
    {"type": "message_stop"},
)


def canned(count: int) -> Canned:
    """The first `count` events."""
    return Canned(body="".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS[:count]))


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


async def ask(
    server: ProviderServer, model: str, messages: Sequence[ChatMessage] = SHORT, **fields: Any
) -> list[Event]:
    async def resolve(_: ModelSpec) -> Endpoint:
        return Endpoint(f"anthropic/{model}", server.api_base.removesuffix("/v1"), "sk-ant-test-0123456789")

    gateway = LiteLLMGateway(resolve=resolve)
    spec = ModelSpec(
        id=model, label="Claude", provider=ProviderSpec(id="a", kind="anthropic"), upstream=model, **fields
    )
    wanted = CompletionRequest(model=spec, messages=messages)
    events = [event async for event in gateway.stream(wanted)]
    await gateway.aclose()
    return events


async def test_a_whole_answer_is_counted_with_its_cache_inside_the_total(server):
    server.behave("claude-whole", canned(len(EVENTS)))

    events = await ask(server, "claude-whole")

    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    usage = next(event for event in events if isinstance(event, Usage))
    assert (text, thought) == ("Hello there", "Hm.")
    assert (usage.input_tokens, usage.output_tokens) == (1000, 42)
    assert (usage.cached_input_tokens, usage.cache_write_tokens) == (900, 90)
    assert events[0] == Started("claude-served")
    assert events[-1] == Finished("stop")


async def test_a_cut_answer_is_neither_finished_nor_counted_by_its_first_block(server):
    """message_start already carries a usage with one output token, sent before any text."""
    server.behave("claude-cut", canned(6))

    events = await ask(server, "claude-cut")

    assert events == [events[0], ReasoningDelta("Hm."), TextDelta("Hello")]


async def test_a_long_prompt_reaches_anthropic_with_the_places_to_keep_it(server):
    server.behave("claude-long", canned(len(EVENTS)))
    long = "word " * 820
    said = [ChatMessage("user", "one"), ChatMessage("assistant", "two"), ChatMessage("user", "three")]

    await ask(
        server,
        "claude-long",
        [ChatMessage("system", long), *said],
        capabilities=frozenset({Capability.SYSTEM_PROMPT, Capability.PROMPT_CACHE}),
    )

    body = server.requests[-1].body
    kept = {"type": "ephemeral"}
    assert [block.get("cache_control") for block in body["system"]] == [kept]
    assert [message["content"][0].get("cache_control") for message in body["messages"]] == [kept, None, None]
