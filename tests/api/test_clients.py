"""Clients that nobody here wrote: the llm command line tool, LiteLLM, and schemathesis over our own description."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from core.providers.litellm_gateway import load_litellm
from tests.support.api_calls import HELLO, WEATHER

BIN = Path(sys.executable).parent
NO_PROXY = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def run(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        env=NO_PROXY | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# Every edge of every field of a completion is a thousand requests: a sample of them will do.
QUICKLY = """
[[operations]]
include-path = "/v1/chat/completions"
phases.coverage.enabled = false
generation.max-examples = 60
"""


@pytest.fixture(name="llm")
def _llm(server, token, tmp_path):
    models = [
        {"model_id": "ours", "model_name": "fast", "api_base": f"{server.url}/v1", "api_key_name": "switchboard"},
        {"model_id": "ours-json", "model_name": "json", "api_base": f"{server.url}/v1", "api_key_name": "switchboard"}
        | {"supports_schema": True},
    ]
    (tmp_path / "extra-openai-models.yaml").write_text(yaml.safe_dump(models))
    (tmp_path / "keys.json").write_text(json.dumps({"switchboard": token}))
    # No other plugins: the one of the model that ships with the app wants another library to run it.
    return {"LLM_USER_PATH": str(tmp_path), "LLM_LOAD_PLUGINS": ""}


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        (("-m", "ours", "-o", "temperature", "0.5"), "Hello there."),
        (("-m", "ours-json", "--no-stream", "--schema", "name, age int"), '{"name": "Ann", "age": 7}'),
    ],
)
def test_llm_on_the_command_line_prints_the_answer(llm, tmp_path, options, printed) -> None:
    done = run("llm", "prompt", *options, "Say hello.", folder=tmp_path, **llm)
    assert (done.returncode, done.stdout.strip()) == (0, printed), done.stderr


@pytest.fixture(name="own_loop")
def _own_loop() -> Iterator[None]:
    """LiteLLM asks for the thread's event loop and would leave the one that it is made, open."""
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        yield
        asyncio.set_event_loop(None)


@pytest.mark.usefixtures("own_loop")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own, about pydantic
def test_litellm_finds_an_openai_endpoint_here(server, token) -> None:
    litellm = load_litellm()
    known = {"model": "openai/fast", "messages": HELLO, "api_base": f"{server.url}/v1", "api_key": token}
    whole = litellm.completion(**known)
    assert (whole.choices[0].message.content, whole.model) == ("Hello there.", "fast")
    chunks = list(litellm.completion(**known, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello there."
    assert chunks[-1].usage.total_tokens > 0
    # Asked for tools, it looks for some at MCP servers as well, with a package that is not installed.
    called = litellm.completion(**{**known, "model": "openai/caller"}, tools=[WEATHER], _skip_mcp_handler=True)
    assert called.choices[0].message.tool_calls[0].function.name == "weather"


@pytest.mark.slow
def test_schemathesis_finds_nothing_that_the_description_does_not_say(server, token, tmp_path) -> None:
    (tmp_path / "schemathesis.toml").write_text(QUICKLY)
    done = run(
        "schemathesis",
        *("run", f"{server.url}/api/openapi.json", "--header", f"Authorization: Bearer {token}"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "6", "--seed", "7", "--workers", "1"),
        # One worker: two parse Python at the same time, which CPython 3.11 now and then takes for too deep.
        # Which texts are a model, a zone or a last message to answer no schema can say.
        *("--exclude-checks", "positive_data_acceptance", "--suppress-health-check", "all"),
        *("--warnings", "off", "--no-shrink"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-6000:]
