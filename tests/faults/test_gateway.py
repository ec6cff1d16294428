"""The gateways against a real server on loopback: what each end of a stream comes out as."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest

from core.catalog.models import ModelSpec
from core.errors import ErrorClass, ProviderError
from core.providers.direct_gateway import DirectGateway
from core.providers.endpoints import Endpoint
from core.providers.events import Event, Finished, ReasoningDelta, Started, TextDelta, Usage
from core.providers.gateway import CompletionRequest
from core.providers.gateways import Gateways
from core.providers.litellm_gateway import LiteLLMGateway
from tests.support.gateway_calls import KEY, KINDS, collect, gateway_to, request, text_of
from tests.support.provider_behaviour import (
    BAD_REQUEST,
    CONTENT_POLICY,
    CONTEXT_LENGTH,
    FORBIDDEN,
    NOT_FOUND,
    RATE_LIMITED,
    SERVER_ERROR,
    UNAUTHORIZED,
    Canned,
    Ending,
    say,
)
from tests.support.provider_server import ProviderServer, port_nobody_listens_on


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture(name="kind", params=KINDS)
def _kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="gateway")
async def _gateway(server: ProviderServer) -> AsyncIterator[Gateways]:
    async with gateway_to(server) as gateway:
        yield gateway


async def test_a_whole_answer_comes_in_order_and_ends_with_what_the_provider_counted(server, gateway, kind):
    server.behave(
        "whole",
        say(
            "two words",
            reasoning=("think",),
            served_model="whole-2026-01",
            finish_reason="length",
            extra_usage={"prompt_tokens_details": {"cached_tokens": 2}, "cost": 0.00012345},
        ),
    )

    events = await collect(gateway, request("whole", kind=kind))

    assert events == [
        Started("whole-2026-01"),
        ReasoningDelta("think"),
        TextDelta("two"),
        TextDelta(" words"),
        Usage(input_tokens=4, output_tokens=3, cached_input_tokens=2, reported_cost_usd=Decimal("0.00012345")),
        Finished("length"),
    ]


async def test_usage_that_nobody_sent_does_not_come_out(server, gateway, kind):
    server.behave("uncounted", say("an answer", usage=False))

    events = await collect(gateway, request("uncounted", kind=kind))

    assert text_of(events) == "an answer"
    assert events[-1] == Finished("stop")
    assert not any(isinstance(event, Usage) for event in events)


async def test_a_truncated_stream_is_neither_finished_nor_counted(server, gateway, kind):
    server.behave("cut", say("one two three four", ending="truncated", break_after=2))

    events = await collect(gateway, request("cut", kind=kind))

    assert events == [Started("cut"), TextDelta("one"), TextDelta(" two")]


@pytest.mark.parametrize("ending", ["dropped", "reset"])
async def test_a_disconnect_mid_answer_keeps_the_text_and_says_so(server, gateway, kind, ending: Ending):
    server.behave(ending, say("one two three four", ending=ending, break_after=2))
    events: list[Event] = []

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request(ending, kind=kind), into=events)

    assert text_of(events) == "one two"
    assert caught.value.error_class == ErrorClass.CONNECTION
    assert caught.value.user_message == "The connection to Model M broke."


@pytest.mark.parametrize("kind", ["openai", "direct"])
@pytest.mark.parametrize("finish_reason", ["error", "abort"])
async def test_a_stream_that_its_server_broke_off_is_an_error(server, gateway, kind, finish_reason):
    """Only where the chunks are read as they came: LiteLLM's own readers turn every unknown reason into "stop"."""
    server.behave(f"broken-{finish_reason}", say("one two", finish_reason=finish_reason))
    events: list[Event] = []

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request(f"broken-{finish_reason}", kind=kind), into=events)

    assert text_of(events) == "one two"
    assert caught.value.error_class == ErrorClass.SERVER


async def test_an_error_event_mid_answer_keeps_the_text(server, gateway, kind):
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "overloaded"}
    first = {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "one"}}]}
    error = {"error": {"message": "Overloaded", "type": "server_error", "code": 503}}
    server.behave("overloaded", Canned(body="".join(f"data: {json.dumps(event)}\n\n" for event in (first, error))))
    events: list[Event] = []

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request("overloaded", kind=kind), into=events)

    assert text_of(events) == "one"
    assert caught.value.error_class == ErrorClass.SERVER


async def test_three_hundred_equal_chunks_are_an_answer_too(server, gateway, kind):
    server.behave("rules", say(" ----" * 300))

    events = await collect(gateway, request("rules", kind=kind))

    assert text_of(events) == " ----" * 300
    assert events[-1] == Finished("stop")


async def test_twenty_streams_at_once_do_not_mix(server, gateway, kind):
    names = [f"stream-{number}" for number in range(20)]
    for name in names:
        server.behave(name, say(f"{name} " * 30, tokens_per_second=300))

    answers = await asyncio.gather(*(collect(gateway, request(name, kind=kind)) for name in names))

    assert [text_of(answer) for answer in answers] == [f"{name} " * 30 for name in names]


async def test_a_malformed_chunk_ends_the_answer_unfinished(server, gateway, kind):
    server.behave("malformed", say("one two three four", ending="malformed", break_after=2))
    events: list[Event] = []

    try:
        await collect(gateway, request("malformed", kind=kind), into=events)
    except ProviderError as error:
        assert error.error_class == ErrorClass.SERVER  # noqa: PT017 - LiteLLM's own readers skip the chunk instead

    assert text_of(events) == "one two"
    assert not any(isinstance(event, Finished) for event in events)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (UNAUTHORIZED, (ErrorClass.AUTHENTICATION, 401)),
        (FORBIDDEN, (ErrorClass.PERMISSION, 403)),
        (NOT_FOUND, (ErrorClass.NOT_FOUND, 404)),
        (RATE_LIMITED, (ErrorClass.RATE_LIMIT, 429)),
        (SERVER_ERROR, (ErrorClass.SERVER, 500)),
        (CONTEXT_LENGTH, (ErrorClass.CONTEXT_LENGTH, 400)),
        (CONTENT_POLICY, (ErrorClass.CONTENT_POLICY, 400)),
        (BAD_REQUEST, (ErrorClass.BAD_REQUEST, 400)),
    ],
)
async def test_a_refusal_is_one_call_and_one_typed_error(server, gateway, kind, refusal, expected):
    model = f"refusing-{kind}-{expected[0]}"
    server.behave(model, refusal)

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request(model, kind=kind))

    error = caught.value
    assert (error.error_class, error.status_code) == expected
    assert "Model M" in error.user_message
    assert error.next_step
    assert "sk-" not in error.detail
    assert [log.model for log in server.requests].count(model) == 1


async def test_the_wait_a_provider_asks_for_is_passed_on(server, gateway, kind):
    server.behave("limited", RATE_LIMITED)

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request("limited", kind=kind))

    assert caught.value.retry_after_s == 7.0


async def test_a_server_that_is_not_there_cannot_be_reached(gateway, kind):
    nowhere = f"http://127.0.0.1:{port_nobody_listens_on()}/v1"

    with pytest.raises(ProviderError) as caught:
        await collect(gateway, request("any", kind=kind, api_base=nowhere))

    assert (caught.value.error_class, caught.value.status_code) == (ErrorClass.CONNECTION, None)
    assert caught.value.user_message == "Model M cannot be reached."


async def test_the_whole_history_the_key_and_the_parameters_arrive(server, gateway, kind):
    server.behave("listening", say("yes"))
    wanted = request("listening", kind=kind, messages=5, temperature=0.2, stop=("END", "STOP"), cache_prompt=True)

    await collect(gateway, wanted)

    log = server.requests[-1]
    sent = [(message["role"], message["content"]) for message in log.body["messages"]]
    assert sent == [(message.role, message.content) for message in wanted.messages]
    assert log.headers["authorization"] == f"Bearer {KEY}"
    assert log.body["model"] == "listening"
    assert log.body["temperature"] == 0.2
    assert log.body["stop"] == ["END", "STOP"]
    assert log.body["cache_prompt"] is True
    assert log.body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(("asked", "sent"), [(True, {"type": "json_object"}), (False, None)])
async def test_json_mode_is_asked_for_in_the_providers_own_words(server, gateway, kind, asked, sent):
    server.behave("listening", say("{}"))

    await collect(gateway, request("listening", kind=kind, json_mode=asked))

    assert server.requests[-1].body.get("response_format") == sent
    assert "json_mode" not in server.requests[-1].body


@pytest.mark.parametrize("name", ["api_base", "mock_response", "fallbacks", "extra_headers", "made_up"])
async def test_a_parameter_that_is_not_the_models_is_refused_before_the_call(server, gateway, kind, name):
    calls = len(server.requests)
    plain = request("listening", kind=kind)
    wanted = CompletionRequest(
        model=plain.model, messages=plain.messages, parameters={name: "http://elsewhere.example"}
    )

    with pytest.raises(ProviderError, match=name) as caught:
        await collect(gateway, wanted)

    assert caught.value.error_class == ErrorClass.BAD_REQUEST
    assert len(server.requests) == calls


@pytest.mark.parametrize("make", [DirectGateway, LiteLLMGateway])
async def test_an_error_of_the_resolver_passes_through(make):
    starting = ProviderError(ErrorClass.STARTING, "The local model is starting.")

    async def resolve(_: ModelSpec) -> Endpoint:
        raise starting

    with pytest.raises(ProviderError) as caught:
        await collect(make(resolve=resolve), request("any"))

    assert caught.value is starting
