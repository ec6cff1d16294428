"""The HTTP API of a whole server, asked with httpx and with OpenAI's own client."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import httpx
import openai
import pytest
from PIL import Image
from pydantic import BaseModel

from tests.support.live_server import ROOT, LiveServer, start_server
from tests.support.provider_behaviour import RATE_LIMITED, SERVER_ERROR, UNAUTHORIZED, Answer, call, say
from tests.support.provider_server import ProviderServer

ABLE = ("able", "thinker", "caller", "json")
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HELLO = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("fast", say("Hello there."))
        provider.behave("limited", replace(RATE_LIMITED, retry_after="0"))
        provider.behave("flaky", SERVER_ERROR)
        provider.behave("broken", SERVER_ERROR)
        provider.behave("locked", UNAUTHORIZED)
        provider.behave("cut", Answer(tokens=("One ", "two ", "three "), ending="dropped", break_after=2))
        provider.behave("slow", Answer(tokens=("word ",) * 2000, tokens_per_second=20))
        provider.behave("silent", Answer(tokens=("late",), first_token_ms=60_000))
        provider.behave("able", say("Hello there."))
        provider.behave("thinker", say("42", reasoning=("Let me ", "see.")))
        provider.behave("caller", call(("weather", '{"city": "Paris"}'), ("weather", '{"city": "Oslo"}')))
        provider.behave("json", say('{"name": "Ann", "age": 7}'))
        yield provider


@pytest.fixture(name="server", scope="module")
def _server(provider, tmp_path_factory):
    directory = tmp_path_factory.mktemp("switchboard")
    models = "\n".join(
        f"  - {{id: {name}, call: loop/{name}, label: {name.title()}, "
        f"price: {{input: 3, output: 6}}, use_cases: [{name}s], "
        f"capabilities: [{'vision, tools, json, reasoning' if name in ABLE else ''}]}}"
        for name in (*ABLE, "fast", "limited", "broken", "flaky", "locked", "cut", "slow", "silent")
    )
    registry = directory / "models.yaml"
    registry.write_text(
        f"providers:\n  loop: {{kind: openai, api_base: '{provider.api_base}', api_key: none}}\nmodels:\n{models}\n"
    )
    server = start_server(directory, SWITCHBOARD_MODELS=str(registry), SWITCHBOARD_ADMIN_PASSWORD="long enough")
    yield server
    server.stop()


def command(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = {"SWITCHBOARD_PORT": server.url.rsplit(":", 1)[1], "SWITCHBOARD_DATA_DIR": str(server.data_dir)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    return subprocess.run(
        [sys.executable, "-m", "core", "tokens", *arguments],
        cwd=ROOT,
        env=kept | own,
        capture_output=True,
        text=True,
        check=False,
    )


def new_token(server: LiveServer, *options: str) -> str:
    done = command(server, "create", "--user", "admin", "--name", f"test {' '.join(options)}", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture(name="token", scope="module")
def _token(server) -> str:
    return new_token(server, "--scope", "chat", "--scope", "usage", "--scope", "admin")


@pytest.fixture(name="http", scope="module")
def _http(server, token):
    with httpx.Client(
        base_url=server.url, headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=30
    ) as client:
        yield client


@pytest.fixture(name="client", scope="module")
def _client(server, token):
    with httpx.Client(trust_env=False) as inner:
        yield openai.OpenAI(base_url=f"{server.url}/v1", api_key=token, http_client=inner, max_retries=0)


def ask_raw(client: openai.OpenAI, **body) -> httpx.Response:
    try:
        return client.chat.completions.with_raw_response.create(**body).http_response
    except openai.APIStatusError as error:
        return error.response


def picture(url: str | None = None, **options: str) -> dict:
    if url is None:
        out = io.BytesIO()
        Image.new("RGB", (4, 4), "red").save(out, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url, **options}}


def ask(http: httpx.Client, **body) -> httpx.Response:
    return http.post("/v1/chat/completions", json={"model": "fast", "messages": HELLO, **body})


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


def test_nothing_of_what_was_said_is_stored_but_the_cost_is(http) -> None:
    before = http.get("/api/usage", params={"by": "source"}).json()
    ask(http)
    after = http.get("/api/usage", params={"by": "source"}).json()
    assert after["totals"]["calls"] == before["totals"]["calls"] + 1
    assert {row["source"] for row in after["rows"]} == {"api"}
    csv = http.get("/api/usage", params={"by": "model,day", "format": "csv"})
    assert csv.text.splitlines()[0].startswith("model,day,calls,cost_usd")
    assert http.get("/api/usage", params={"by": "shoe"}).status_code == 400
    assert http.get("/api/usage", params={"period": "shoe"}).status_code == 400


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
    narrow = {"authorization": f"Bearer {new_token(server, '--model', 'slow')}"}
    body = {"model": "auto:fasts", "messages": HELLO}
    assert http.post("/v1/chat/completions", json=body, headers=narrow).status_code == 404


def test_a_fallback_answers_and_is_named(http) -> None:
    answer = ask(http, model="locked", fallbacks=["fast"])
    assert answer.status_code == 502  # a refused key is the operator's to mend
    answer = ask(http, model="flaky", fallbacks=["fast"])
    assert answer.json()["model"] == "fast"
    assert int(answer.headers["x-switchboard-attempts"]) > 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": [WEATHER]}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
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


def test_labels_and_what_means_nothing_pass(http) -> None:
    answer = ask(http, metadata={"a": 1}, user="ann", tools=[], logprobs=False, n=1, tool_choice=None)
    assert answer.status_code == 200, answer.text


def test_tools_of_the_caller_go_to_the_model_and_its_calls_come_back(client, provider) -> None:
    choice = {"type": "function", "function": {"name": "weather"}}
    asked = {"model": "caller", "messages": HELLO, "tools": [WEATHER], "tool_choice": choice}
    whole = client.chat.completions.create(**asked, parallel_tool_calls=True)
    sent = provider.requests[-1].body
    assert (sent["tools"], sent["tool_choice"], sent["parallel_tool_calls"]) == ([WEATHER], choice, True)
    [paris, oslo] = whole.choices[0].message.tool_calls
    assert (whole.choices[0].finish_reason, whole.choices[0].message.content) == ("tool_calls", None)
    assert (paris.function.name, json.loads(oslo.function.arguments)) == ("weather", {"city": "Oslo"})

    chunks = list(client.chat.completions.create(**asked, stream=True))
    pieces = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert len(pieces) > 4  # as they were written, not at the end
    assert [piece.id for piece in pieces if piece.id] == [paris.id, oslo.id]
    assert "".join(p.function.arguments for p in pieces if p.index == 1) == oslo.function.arguments
    assert chunks[-2].choices[0].finish_reason == "tool_calls"

    results = [{"role": "tool", "tool_call_id": call.id, "content": "Sun."} for call in (paris, oslo)]
    said = [*HELLO, whole.choices[0].message.model_dump(exclude_none=True), *results]
    answer = client.chat.completions.create(model="able", messages=said, tools=[WEATHER])
    assert answer.choices[0].message.content == "Hello there."
    sent = provider.requests[-1].body["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in sent[1]["tool_calls"]] == [message["tool_call_id"] for message in sent[2:]]
    unanswered = ask_raw(client, model="able", messages=said[:-1], tools=[WEATHER])
    assert (unanswered.status_code, unanswered.json()["error"]["param"]) == (400, "messages")


def test_images_go_to_models_that_see(client, provider) -> None:
    content = [{"type": "text", "text": "What is it?"}, picture(detail="low")]
    client.chat.completions.create(model="able", messages=[{"role": "user", "content": content}])
    text, image = provider.requests[-1].body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert image["image_url"]["detail"] == "low"


class Person(BaseModel):
    name: str
    age: int


def test_structured_output_comes_back_as_the_class_that_was_asked_for(client, provider) -> None:
    parsed = client.chat.completions.parse(model="json", messages=HELLO, response_format=Person)
    assert parsed.choices[0].message.parsed == Person(name="Ann", age=7)
    sent = provider.requests[-1].body["response_format"]
    assert (sent["type"], sent["json_schema"]["name"], sent["json_schema"]["strict"]) == ("json_schema", "Person", True)
    client.chat.completions.create(model="json", messages=HELLO, response_format={"type": "json_object"})
    assert provider.requests[-1].body["response_format"] == {"type": "json_object"}


def test_reasoning_passes_both_ways(client, provider) -> None:
    answer = client.chat.completions.create(model="thinker", messages=HELLO, reasoning_effort="high")
    said = answer.choices[0].message
    assert (said.content, said.reasoning_content) == ("42", "Let me see.")
    assert provider.requests[-1].body["reasoning_effort"] == "high"
    again = [*HELLO, said.model_dump(exclude_none=True), {"role": "user", "content": "Sure?"}]
    chunks = list(client.chat.completions.create(model="thinker", messages=again, stream=True))
    assert provider.requests[-1].body["messages"][1]["reasoning_content"] == "Let me see."
    thoughts = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in chunks if c.choices]
    assert "".join(thoughts) == "Let me see."


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


def test_tokens_are_checked(http, server) -> None:
    for header in ({}, {"authorization": "Bearer sb-wrong"}, {"authorization": "Basic x"}):
        answer = httpx.get(f"{server.url}/v1/models", headers=header, trust_env=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    only_usage = {"authorization": f"Bearer {new_token(server, '--scope', 'usage')}"}
    assert http.get("/v1/models", headers=only_usage).status_code == 403
    assert http.get("/metrics", headers=only_usage).status_code == 403
    assert http.get("/api/usage", headers=only_usage).status_code == 200


def test_a_token_keeps_to_its_models_its_rate_and_its_budget(http, server) -> None:
    narrow = new_token(server, "--model", "fast", "--rpm", "1")
    told = {"authorization": f"Bearer {narrow}"}
    assert [model["id"] for model in http.get("/v1/models", headers=told).json()["data"]] == ["fast"]
    body = {"model": "slow", "messages": HELLO}
    assert http.post("/v1/chat/completions", json=body, headers=told).status_code == 403
    body["model"] = "fast"
    first = http.post("/v1/chat/completions", json=body, headers=told)
    assert (first.status_code, first.headers["x-ratelimit-remaining-requests"]) == (200, "0")
    second = http.post("/v1/chat/completions", json=body, headers=told)
    assert second.status_code == 429
    assert 0 < int(second.headers["retry-after"]) <= 60

    poor = {"authorization": f"Bearer {new_token(server, '--budget', '0.000001')}"}
    assert http.post("/v1/chat/completions", json=body, headers=poor).status_code == 200
    spent = http.post("/v1/chat/completions", json=body, headers=poor)
    assert (spent.status_code, spent.json()["error"]["code"]) == (429, "insufficient_quota")


@pytest.mark.parametrize(("model", "stream"), [("slow", True), ("slow", False), ("silent", True)])
def test_a_caller_that_leaves_stops_the_upstream_call(server, token, provider, model, stream) -> None:
    before = len(provider.requests)
    body = {"model": model, "messages": HELLO, "stream": stream}
    head = {"authorization": f"Bearer {token}"}

    async def leave() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            asking = asyncio.create_task(client.post(f"{server.url}/v1/chat/completions", json=body, headers=head))
            await asyncio.to_thread(provider.wait_for, lambda requests: len(requests) > before)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(leave())
    assert provider.wait_for(lambda requests: requests[-1].disconnected_at is not None)


def test_models_say_what_they_cost_and_how_they_are(http) -> None:
    [fast] = [model for model in http.get("/v1/models").json()["data"] if model["id"] == "fast"]
    assert fast["prices_usd_per_million_tokens"] == {"input": "3", "output": "6"}
    assert fast["status"]["state"]
    assert http.get("/v1/models/fast").json()["id"] == "fast"
    assert http.get("/v1/models/none").status_code == 404


def test_health_and_metrics(http, server) -> None:
    well = httpx.get(f"{server.url}/api/health", trust_env=False)
    assert (well.status_code, well.json()["status"]) == (200, "ok")
    ask(http)
    text = http.get("/metrics").text
    assert 'switchboard_attempts_total{model="fast",status="ok"}' in text
    assert 'switchboard_circuit_open{model="fast"} 0' in text


def test_commands_list_and_revoke_while_the_server_runs(server) -> None:
    token = new_token(server, "--expires", "2099-01-31")
    told = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{server.url}/v1/models", headers=told, trust_env=False).status_code == 200
    listed = command(server, "list", "--user", "admin").stdout
    assert "test --expires 2099-01-31" in listed
    assert token not in listed
    assert command(server, "revoke", "--user", "admin", "test --expires 2099-01-31").returncode == 0
    assert httpx.get(f"{server.url}/v1/models", headers=told, trust_env=False).status_code == 401
    refused = command(server, "create", "--user", "nobody", "--name", "x")
    assert (refused.returncode, refused.stderr.startswith("Nobody here is called nobody.")) == (1, True)
    forged = httpx.post(f"{server.url}/api/local/tokens", json={"signed": "x.y.z"}, trust_env=False)
    assert forged.status_code == 403
    assert token not in server.output()
