"""Tool calls on the wire: put together from OpenAI's and Anthropic's pieces, and offered in each one's form."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core.catalog.models import ModelSpec
from core.errors import ProviderError
from core.providers.events import Event, Finished, ReasoningSigned, TextDelta, ToolCalled
from core.providers.gateway import ChatMessage, CompletionRequest
from core.providers.parts import SignedReasoning, ToolCall, ToolOffer
from tests.support.gateway_calls import gateway_to, provider_of
from tests.support.provider_behaviour import Behaviour, Canned, call
from tests.support.provider_server import ProviderServer

SCHEMA = {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]}
OFFER = ToolOffer(name="calculator", description="Calculates.", schema=SCHEMA)
ARGUMENTS = '{"expression": "6 * 7"}'


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


async def ask(server: ProviderServer, kind: str, behaviour: Behaviour) -> list[Event]:
    server.behave("caller", behaviour)
    base = server.api_base.removesuffix("/v1") if kind == "anthropic" else None
    spec = ModelSpec(id="caller", label="Caller", provider=provider_of(kind, api_base=base), upstream="caller")
    wanted = CompletionRequest(model=spec, messages=[ChatMessage("user", "6 times 7?")], tools=[OFFER])
    async with gateway_to(server) as gateway:
        return [event async for event in gateway.stream(wanted)]


def called(events: list[Event]) -> list[ToolCall]:
    return [event.call for event in events if isinstance(event, ToolCalled)]


@pytest.mark.parametrize("kind", ["openai", "direct"])
async def test_calls_in_openais_format_are_put_together(server, kind):
    events = await ask(server, kind, call(("calculator", ARGUMENTS), ("calculator", "{}"), tokens=("Let", " me")))

    assert [(one.id, one.name, one.arguments) for one in called(events)] == [
        ("call_0", "calculator", ARGUMENTS),
        ("call_1", "calculator", "{}"),
    ]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Let", " me"]
    assert events[-1] == Finished("tool_calls")
    assert server.requests[-1].body["tools"] == [
        {"type": "function", "function": {"name": "calculator", "description": "Calculates.", "parameters": SCHEMA}}
    ]


@pytest.mark.parametrize("kind", ["openai", "direct"])
@pytest.mark.parametrize("ending", ["truncated", "dropped"])
async def test_calls_of_a_broken_stream_are_none(server, kind, ending):
    broken = call(("calculator", ARGUMENTS), ending=ending, break_after=2)
    try:
        events = await ask(server, kind, broken)
    except ProviderError:
        events = []

    assert not called(events)


def anthropic(*events: dict[str, object]) -> Canned:
    return Canned(body="".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events))


async def test_a_call_in_anthropics_format_comes_with_what_the_model_signed(server):
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []}
    usage = {"input_tokens": 10, "output_tokens": 1}
    use = {"type": "tool_use", "id": "toolu_1", "name": "calculator", "input": {}}
    behaviour = anthropic(
        {"type": "message_start", "message": {**message, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "signed"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": use},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"expres'}},
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": 'sion": "6 * 7"}'},
        },
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 42}},
        {"type": "message_stop"},
    )

    events = await ask(server, "anthropic", behaviour)

    assert [(one.name, one.arguments) for one in called(events)] == [("calculator", ARGUMENTS)]
    assert [event.reasoning for event in events if isinstance(event, ReasoningSigned)] == [
        SignedReasoning(text="Hm.", signature="signed")
    ]
    assert events[-1] == Finished("tool_calls")
    [offered] = server.requests[-1].body["tools"]
    assert (offered["name"], offered["input_schema"]) == ("calculator", SCHEMA)
