"""Chat completions of a whole server, asked with httpx and with OpenAI's own client."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import httpx
import openai
import pytest

from tests.support.api_calls import HELLO, WEATHER, ask, bearer, new_token, picture


def test_openai_client_gets_a_whole_answer_and_its_receipt(client, provider) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="fast",
        messages=[
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": [{"type": "text", "text": "Say hello."}]},
        ],
        temperature=0.5,
        max_completion_tokens=50,
        stop="END",
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "Hello there."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "fast"
    used = answer.usage
    cost = Decimal(3 * used.prompt_tokens + 6 * used.completion_tokens) / 1_000_000
    assert Decimal(raw.headers["x-switchboard-cost-usd"]) == cost > 0
    assert raw.headers["x-switchboard-attempts"] == "1"
    assert raw.headers["x-switchboard-turn"]
    sent = provider.requests[-1].body
    assert sent["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Say hello."},
    ]
    assert (sent["temperature"], sent["stop"]) == (0.5, ["END"])


def test_openai_client_streams_with_usage_and_receipt_at_the_end(client) -> None:
    chunks = list(client.chat.completions.create(model="fast", messages=HELLO, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello there."
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.total_tokens > 0
    assert Decimal(chunks[-1].switchboard["cost_usd"]) > 0


def test_openai_async_client_streams_many_at_once(server, token) -> None:
    async def one(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(model="fast", messages=HELLO, stream=True)
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def all_of_them() -> list[str]:
        async with (
            httpx.AsyncClient(trust_env=False) as inner,
            openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=token, http_client=inner) as client,
        ):
            return list(await asyncio.gather(*(one(client) for _ in range(8))))

    assert asyncio.run(all_of_them()) == ["Hello there."] * 8


def test_stream_on_the_wire_ends_with_done(http) -> None:
    answer = ask(http, stream=True, stream_options={"include_usage": False})
    events = answer.text.strip().split("\n\n")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert events[-1] == "data: [DONE]"
    assert json.loads(events[-2].removeprefix("data: "))["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("limited", 429, "rate_limit_exceeded"),
        ("broken", 502, "provider_error"),
        ("locked", 502, "provider_authentication"),
        ("nobody", 404, "model_not_found"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_failures_have_their_status_code_streamed_or_not(http, model, status, code, stream) -> None:
    answer = ask(http, model=model, stream=stream, fallbacks=[])
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "box" not in answer.text
    assert "sk-" not in answer.text


def test_a_stream_that_breaks_ends_with_an_error_and_without_done(client, http) -> None:
    text = ask(http, model="cut", stream=True).text
    assert '"content":"One ' in text
    assert json.loads(text.strip().split("\n\n")[-1].removeprefix("data: "))["error"]["code"].startswith("provider_")
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="cut", messages=HELLO, stream=True))


def test_a_use_case_takes_the_recommended_model(http, server) -> None:
    assert ask(http, model="auto:fasts").json()["model"] == "fast"
    assert ask(http, model="auto:nothing").json()["error"]["code"] == "model_not_found"
    narrow = bearer(new_token(server, models=("slow",)))
    body = {"model": "auto:fasts", "messages": HELLO}
    assert http.post("/v1/chat/completions", json=body, headers=narrow).status_code == 404


def test_a_fallback_answers_and_is_named(http) -> None:
    answer = ask(http, model="locked", fallbacks=["fast"])
    assert answer.status_code == 502  # a refused key is the operator's to mend
    assert answer.headers["x-switchboard-attempts"] == "1"
    answer = ask(http, model="flaky", fallbacks=["fast"])
    assert answer.json()["model"] == "fast"
    assert int(answer.headers["x-switchboard-attempts"]) > 1


@pytest.mark.parametrize(
    ("fallbacks", "status", "code"),
    [(["slow", "nobody"], 404, "model_not_found"), (["cut"], 403, "model_not_allowed"), (["slow"], 200, None)],
)
def test_a_fallback_that_nobody_could_take_is_refused(http, server, fallbacks, status, code) -> None:
    narrow = bearer(new_token(server, models=("fast", "slow")))
    body = {"model": "fast", "messages": HELLO, "fallbacks": fallbacks}
    answer = http.post("/v1/chat/completions", json=body, headers=narrow)
    assert answer.status_code == status
    if code is not None:
        assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (code, "fallbacks")


def test_how_likely_the_tokens_are_comes_where_the_provider_says_it(client, provider) -> None:
    asked = {"model": "fast", "messages": HELLO, "logprobs": True, "top_logprobs": 2}
    whole = client.chat.completions.create(**asked).choices[0].logprobs.content
    assert (provider.requests[-1].body["logprobs"], provider.requests[-1].body["top_logprobs"]) == (True, 2)
    assert "".join(token.token for token in whole) == "Hello there."
    assert {(token.logprob, len(token.top_logprobs)) for token in whole} == {(-0.5, 2)}

    chunks = list(client.chat.completions.create(**asked, stream=True))
    told = [chunk.choices[0].logprobs for chunk in chunks if chunk.choices]
    assert [token for logprobs in told if logprobs for token in logprobs.content] == whole
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello there."


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": [WEATHER]}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"n": 2}, "n"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"top_k": 3}, "top_k"),
        ({"store": True}, "store"),
        ({"temperature": 9}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}}, "response_format"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": [picture("https://example.org/a.png")]}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": [picture("data:image/png;base64,eA==")]}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": [picture()]}]}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages.0"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(http, body, param) -> None:
    answer = ask(http, **body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_no_messages_are_refused_in_plain_words(http) -> None:
    error = ask(http, messages=[]).json()["error"]
    assert error["message"] == "messages: List should have at least 1 item, not 0."


def test_labels_and_what_means_nothing_pass(http) -> None:
    answer = ask(http, metadata={"a": 1}, user="ann", tools=[], logprobs=False, n=1, tool_choice=None)
    assert answer.status_code == 200, answer.text


def test_malformed_and_oversized_bodies(http) -> None:
    url = "/v1/chat/completions"
    assert http.post(url, content=b"{nope").json()["error"]["code"] == "invalid_json"
    assert http.post(url, content=b"[]").status_code == 400
    assert http.post(url, content=b"\xff\xfe").status_code == 400
    deep = b'{"model": "fast", "messages": [], "metadata": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}"
    assert "nested too deep" in http.post(url, content=deep).json()["error"]["message"]
    assert http.post(url, data={"model": "fast"}).status_code == 415
    assert http.post(url, json={"model": 7, "messages": HELLO}).json()["error"]["param"] == "model"
    assert http.post(url, content=b" " * 20_000_001).status_code == 413
    assert http.get(url).status_code == 405
    assert http.get("/v1/nothing").json()["error"]["code"] == "not_found"


def test_a_client_whose_address_lacks_v1_is_told_so(server, token) -> None:
    with (
        httpx.Client(trust_env=False) as inner,
        openai.OpenAI(base_url=server.url, api_key=token, http_client=inner) as client,
        pytest.raises(openai.NotFoundError, match=f"let the base URL end with it \\({server.url}/v1\\)"),
    ):
        client.chat.completions.create(model="fast", messages=HELLO)


@pytest.mark.parametrize(("model", "stream"), [("slow", True), ("slow", False), ("silent", True)])
def test_a_caller_that_leaves_stops_the_upstream_call(server, token, provider, model, stream) -> None:
    before = len(provider.requests)
    body = {"model": model, "messages": HELLO, "stream": stream}
    head = bearer(token)

    async def leave() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            asking = asyncio.create_task(client.post(f"{server.url}/v1/chat/completions", json=body, headers=head))
            await asyncio.to_thread(provider.wait_for, lambda requests: len(requests) > before)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(leave())
    assert provider.wait_for(lambda requests: requests[-1].disconnected_at is not None)
