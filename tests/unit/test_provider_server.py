"""The loopback provider that the fault tests and the bench stand on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.support import provider_text
from tests.support.provider_server import ProviderServer

MESSAGES = [{"role": "user", "content": "two words"}]


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


def stream(server: ProviderServer, model: str) -> list[str]:
    body = {"model": model, "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    response = httpx.post(f"{server.api_base}/chat/completions", json=body)
    return [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]


def test_a_bench_model_streams_its_tokens_and_counts_them(server):
    *chunks, finish, usage, done = stream(server, "bench-t7-r1000-f20")

    text = "".join(json.loads(chunk)["choices"][0]["delta"]["content"] for chunk in chunks)
    assert text == "".join(provider_text.prose(7))
    assert json.loads(finish)["choices"][0]["finish_reason"] == "stop"
    assert json.loads(usage)["usage"] == {"prompt_tokens": 2, "completion_tokens": 7, "total_tokens": 9}
    assert done == "[DONE]"


def test_the_log_has_the_times_of_each_request(server):
    stream(server, "bench-t3-r100-f50")

    log = httpx.get(server.api_base.replace("/v1", "/_log")).json()["requests"][-1]

    assert log["model"] == "bench-t3-r100-f50"
    # Due after 50 and 70 ms; a busy machine makes them later, rounding by less than a millisecond earlier.
    assert log["first_token_at"] - log["received_at"] >= 0.049
    assert log["last_token_at"] - log["received_at"] >= 0.069
    assert (log["tokens_sent"], log["done"], log["disconnected_at"]) == (3, True, None)


def test_a_whole_answer_comes_without_streaming_too(server):
    body = {"model": "bench-t3-r0-f0", "messages": MESSAGES}

    answer = httpx.post(f"{server.api_base}/chat/completions", json=body).json()

    assert answer["choices"][0]["message"]["content"] == "".join(provider_text.prose(3))


@pytest.mark.parametrize(("name", "status"), [("fault-401", 401), ("fault-429", 429), ("fault-context", 400)])
def test_a_fault_is_chosen_by_the_models_name(server, name, status):
    response = httpx.post(f"{server.api_base}/chat/completions", json={"model": name, "messages": MESSAGES})

    assert response.status_code == status
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("count", [1, 5, 60, 500])
def test_the_texts_have_exactly_the_tokens_asked_for(count):
    prose, code = provider_text.prose(count), provider_text.code(count)

    assert (len(prose), len(code)) == (count, count)
    assert len("".join(prose).split()) == count
    assert "".join(prose).count("\n\n") == (count - 1) // 60


def test_a_code_answer_is_one_block_that_closes():
    assert "".join(provider_text.code(200)).count("```") == 2


def test_the_server_runs_as_a_process_of_its_own():
    command = [sys.executable, "-m", "tests.support.provider_server", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        models = httpx.get(f"{address}/models").json()
        process.terminate()

    assert models["data"][0]["object"] == "model"
