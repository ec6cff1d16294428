"""The gateways against OpenAI's (both), Anthropic's and Gemini's wire formats, whole and broken.

The server is llmock 0.2.2 (MIT, September 2026): a real HTTP server on loopback in a thread, streams in all three
formats, refusals in each provider's error shape with Retry-After, faults scripted per request, and a journal with the
bodies it got. aimock-pytest needs Node; mockllm, fakellm and llm-mock-api have no Gemini. llmock counts no cached and
no reasoning tokens: those are in test_gateway_anthropic.py and test_gateway_gemini.py, from recorded shapes. It asks
for uvicorn's extras, so requirements-wire.txt is installed without dependencies: with uvloop beside it the app under
test would run on another event loop than in production.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from llmock.scenarios import Fail, Reply, StreamFault
from llmock.testing import LLMockServer

from core.catalog.models import GatewayChoice, ModelSpec, ProviderSpec
from core.errors import ErrorClass, ProviderError
from core.providers.direct_gateway import DirectGateway
from core.providers.endpoints import Endpoint, resolve_endpoint
from core.providers.events import Event, Finished, Started, TextDelta, Usage
from core.providers.gateway import ChatMessage, CompletionRequest, message_of
from core.providers.gateways import Gateways
from core.providers.litellm_gateway import LiteLLMGateway
from core.providers.parts import ImagePart, TextPart, ToolCall, ToolResult
from tests.support.gateway_calls import collect, text_of

PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU"
    b"\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82"
)
PIXEL_BASE64 = base64.b64encode(PIXEL).decode()
TEXT = "one two three four five six seven"
SYSTEM = "be brief"
_AT_ONCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One wire format: LiteLLM's kind, a model of it, the way to its API, and where its body keeps what was said.

    `lead` is how many events come before the first text, `image` an image of one pixel as it stands in the body.
    """

    kind: str
    upstream: str
    path: str
    lead: int
    system: Callable[[dict[str, Any]], str]
    turns: Callable[[dict[str, Any]], list[tuple[str, str]]]
    blocks: Callable[[dict[str, Any]], list[Any]]
    image: dict[str, Any]
    call: Callable[[dict[str, Any]], tuple[str, object, str]]
    gateway: GatewayChoice = "litellm"


OPENAI = Format(
    kind="openai",
    upstream="gpt-6-luna",
    path="",
    lead=1,
    system=lambda body: str(body["messages"][0]["content"]) if body["messages"][0]["role"] == "system" else "",
    turns=lambda body: [(turn["role"], turn["content"]) for turn in body["messages"][1:]],
    blocks=lambda body: body["messages"][-1]["content"],
    image={"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL_BASE64}"}},
    call=lambda body: (
        body["messages"][2]["tool_calls"][0]["function"]["name"],
        json.loads(body["messages"][2]["tool_calls"][0]["function"]["arguments"]),
        body["messages"][3]["content"],
    ),
)
FORMATS = (
    OPENAI,
    replace(OPENAI, gateway="direct"),
    Format(
        kind="anthropic",
        upstream="claude-sonnet-5",
        path="",
        lead=3,
        system=lambda body: "".join(block["text"] for block in body["system"]),
        turns=lambda body: [
            (turn["role"], "".join(block["text"] for block in turn["content"])) for turn in body["messages"]
        ],
        blocks=lambda body: body["messages"][-1]["content"],
        image={"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL_BASE64}},
        call=lambda body: (
            body["messages"][1]["content"][-1]["name"],
            body["messages"][1]["content"][-1]["input"],
            body["messages"][2]["content"][0]["content"],
        ),
    ),
    Format(
        kind="gemini",
        upstream="gemini-2.5-flash",
        path="/v1beta",
        lead=0,
        system=lambda body: "".join(part["text"] for part in body["system_instruction"]["parts"]),
        turns=lambda body: [
            (turn["role"], "".join(part["text"] for part in turn["parts"])) for turn in body["contents"]
        ],
        blocks=lambda body: body["contents"][-1]["parts"],
        image={"inline_data": {"mime_type": "image/png", "data": PIXEL_BASE64}},
        call=lambda body: (
            body["contents"][1]["parts"][-1]["function_call"]["name"],
            body["contents"][1]["parts"][-1]["function_call"]["args"],
            str(body["contents"][2]["parts"][0]["function_response"]["response"]),
        ),
    ),
)


@pytest.fixture(name="running", scope="module")
def _running() -> Iterator[LLMockServer]:
    with LLMockServer() as server:
        yield server


@pytest.fixture(name="server")
def _server(running: LLMockServer) -> LLMockServer:
    running.state.reset()
    return running


@pytest.fixture(name="wire", params=FORMATS, ids=lambda wire: f"{wire.kind}-{wire.gateway}")
def _wire(request: pytest.FixtureRequest) -> Format:
    wire: Format = request.param
    return wire


@pytest.fixture(name="gateway")
async def _gateway() -> AsyncIterator[Gateways]:
    async def resolve(spec: ModelSpec) -> Endpoint:
        return await resolve_endpoint(spec, keys=lambda _: "sk-of-the-test-0123456789", local=None)

    read_file = {"pixel": PIXEL}.__getitem__
    gateway = Gateways(
        direct=DirectGateway(resolve=resolve, read_file=read_file),
        litellm=LiteLLMGateway(resolve=resolve, read_file=read_file),
    )
    yield gateway
    await gateway.aclose()


def request(server: LLMockServer, wire: Format) -> CompletionRequest:
    """A third question after an answer, to a model of the registry whose provider is `server`."""
    provider = ProviderSpec(
        id=wire.kind,
        kind=wire.kind,
        api_base=server.base_url(wire.kind) + wire.path,
        key_variable="KEY",
        gateway=wire.gateway,
    )
    model = ModelSpec(id="m", label="Model M", provider=provider, upstream=wire.upstream)
    history = [ChatMessage("user", "first"), ChatMessage("assistant", "answer"), ChatMessage("user", "second")]
    return CompletionRequest(model=model, messages=[ChatMessage("system", SYSTEM), *history])


async def test_a_whole_answer_comes_in_order_with_its_usage(server, wire, gateway):
    server.state.scenarios.add(Reply(TEXT))

    events = await collect(gateway, request(server, wire))

    usage = events[-2]
    assert events[0] == Started(wire.upstream)
    assert all(isinstance(event, TextDelta) for event in events[1:-2])
    assert text_of(events) == TEXT
    assert isinstance(usage, Usage)
    assert min(usage.input_tokens, usage.output_tokens) > 0
    assert events[-1] == Finished("stop")


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_why_an_answer_ended_is_one_word_for_all(server, wire, gateway, reason):
    server.state.scenarios.add(Reply(TEXT, finish_reason=reason))

    events = await collect(gateway, request(server, wire))

    assert text_of(events) == TEXT
    assert events[-1] == Finished(reason)


async def test_the_system_prompt_and_the_turns_stand_where_the_format_wants_them(server, wire, gateway):
    await collect(gateway, request(server, wire))

    [record] = server.state.journal.records(wait=_AT_ONCE_S)
    answering = "model" if wire.kind == "gemini" else "assistant"
    assert wire.system(record.body) == SYSTEM
    assert wire.turns(record.body) == [("user", "first"), (answering, "answer"), ("user", "second")]


async def test_an_image_stands_before_its_question_in_the_form_of_the_format(server, wire, gateway):
    image = ImagePart(content_hash="pixel", media_type="image/png", width=1, height=1)
    asked = message_of("user", [image, TextPart("what is it?")])

    await collect(gateway, replace(request(server, wire), messages=[asked]))

    [record] = server.state.journal.records(wait=_AT_ONCE_S)
    seen, question = wire.blocks(record.body)
    assert (seen, question["text"]) == (wire.image, "what is it?")


async def test_a_call_of_a_tool_stands_with_its_result_in_the_form_of_the_format(server, wire, gateway):
    call = ToolCall(id="call00001", name="add", arguments='{"x": 1}')
    history = [
        *request(server, wire).messages[:2],
        message_of("assistant", [TextPart("let me see"), call]),
        message_of("tool", [ToolResult(call_id=call.id, text="forty-two")]),
        *request(server, wire).messages[2:],
    ]

    await collect(gateway, replace(request(server, wire), messages=history))

    [record] = server.state.journal.records(wait=_AT_ONCE_S)
    *called, result = wire.call(record.body)
    assert called == ["add", {"x": 1}]
    assert "forty-two" in result


@pytest.mark.parametrize("arguments", ["{cut", "[1]", "7", ""])
async def test_a_call_without_an_object_is_sent_as_text_or_refused_before_it_is_sent(server, wire, gateway, arguments):
    call = ToolCall(id="call00001", name="add", arguments=arguments)
    asked = request(server, wire)
    called = [message_of("assistant", [call]), message_of("tool", [ToolResult(call_id=call.id, text="forty-two")])]
    asked = replace(asked, messages=[*asked.messages[:2], *called, *asked.messages[2:]])

    if not arguments or wire.kind == "openai":
        await collect(gateway, asked)
        assert len(server.state.journal.records(wait=_AT_ONCE_S)) == 1
        return
    with pytest.raises(ProviderError, match="call of add") as caught:
        await collect(gateway, asked)
    assert caught.value.error_class == ErrorClass.BAD_REQUEST
    assert server.state.journal.records(wait=_AT_ONCE_S) == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ErrorClass.BAD_REQUEST),
        (401, ErrorClass.AUTHENTICATION),
        (402, ErrorClass.PERMISSION),
        (403, ErrorClass.PERMISSION),
        (404, ErrorClass.NOT_FOUND),
        (413, ErrorClass.CONTEXT_LENGTH),
        (429, ErrorClass.RATE_LIMIT),
        (500, ErrorClass.SERVER),
        (503, ErrorClass.SERVER),
        (529, ErrorClass.SERVER),
    ],
)
async def test_a_refusal_is_one_call_and_one_typed_error(server, wire, gateway, status, expected):
    server.state.scenarios.add(Fail(status))

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request(server, wire))

    assert (caught.value.error_class, caught.value.status_code) == (expected, status)
    assert len(server.state.journal.records(wait=_AT_ONCE_S)) == 1


async def test_a_conversation_too_long_is_known_by_the_providers_words(server, wire, gateway):
    server.state.scenarios.add(Fail(400, message="prompt is too long: 9001 tokens > 8192 maximum"))

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request(server, wire))

    assert caught.value.error_class == ErrorClass.CONTEXT_LENGTH


async def test_the_wait_a_provider_asks_for_is_passed_on(server, wire, gateway):
    server.state.scenarios.add(Fail(429, retry_after=7))

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request(server, wire))

    assert caught.value.retry_after_s == 7.0


async def test_a_truncated_answer_keeps_its_text_and_is_not_finished(server, wire, gateway):
    server.state.scenarios.add(Reply(TEXT), StreamFault("truncate", after_chunks=wire.lead + 2))

    events = await collect(gateway, request(server, wire))

    assert text_of(events) == "one two "
    assert not any(isinstance(event, Finished) for event in events)


async def test_a_disconnect_mid_answer_keeps_its_text_and_says_so(server, wire, gateway):
    server.state.scenarios.add(Reply(TEXT), StreamFault("disconnect", after_chunks=wire.lead + 2))
    events: list[Event] = []

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request(server, wire), into=events)

    assert text_of(events) == "one two "
    assert caught.value.error_class == ErrorClass.CONNECTION


async def test_a_malformed_chunk_ends_the_answer_unfinished(server, wire, gateway):
    server.state.scenarios.add(Reply(TEXT), StreamFault("malformed", after_chunks=wire.lead + 2))
    events: list[Event] = []

    try:
        await collect(gateway, request(server, wire), into=events)
    except ProviderError as error:
        assert error.error_class == ErrorClass.SERVER  # noqa: PT017 - LiteLLM's own readers skip the chunk instead

    assert text_of(events) == "one two "
    assert not any(isinstance(event, Finished) for event in events)


async def test_a_stop_during_a_stall_closes_the_connection(server, wire, gateway):
    server.state.scenarios.add(Reply(TEXT), StreamFault("stall", after_chunks=wire.lead + 2, stall_seconds=60))

    async with aclosing(gateway.stream(request(server, wire))) as stream:
        async for event in stream:
            if event == TextDelta("two "):
                break

    [record] = await asyncio.to_thread(server.state.journal.records, wait=_AT_ONCE_S)
    assert not record.completed
