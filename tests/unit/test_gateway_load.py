"""What loading LiteLLM does to the process and beyond it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.providers.litellm_gateway import _is_openai_chat, load_litellm

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def probe(*arguments: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.support.litellm_probe", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def test_loading_is_silent_and_reaches_for_nothing(tmp_path):
    (tmp_path / ".env").write_text("SWITCHBOARD_PROBE_DOTENV=1\n")

    done = probe("load", cwd=tmp_path)

    assert json.loads(done.stdout) == {
        "imported_early": False,
        "modules": 1,
        "attempts": [],
        "collecting": True,
        "dotenv_read": False,
    }
    assert done.stderr == ""


def test_warming_up_is_silent_and_stays_on_the_machine():
    done = probe("warm_up")

    assert json.loads(done.stdout) == {"attempts": [], "early": False, "loaded": True}
    assert done.stderr == ""


def test_no_log_shows_the_key_even_when_asked_to_say_everything():
    key = "plain-looking-key-0123456789"

    done = probe("refused", key, LITELLM_LOG="DEBUG")

    outcomes = json.loads(done.stdout)["outcomes"]
    assert [outcome.partition(" ")[0] for outcome in outcomes] == ["authentication"] * 3
    assert key not in done.stdout + done.stderr
    assert "sk-abcd1234" not in done.stdout + done.stderr


def test_no_model_that_litellm_takes_to_responses_gets_the_body_of_chat_completions():
    """The history goes out in `extra_body`: right for /chat/completions, lost anywhere else."""
    litellm = load_litellm()
    names = [name for name, facts in litellm.model_cost.items() if facts.get("litellm_provider") == "openai"]
    upstreams = {name.removeprefix("openai/") for name in names} | {"responses/gpt-5", "team-model"}

    bridged = {
        upstream
        for upstream in upstreams
        if litellm.main.responses_api_bridge_check(model=upstream, custom_llm_provider="openai")[0].get("mode")
        == "responses"
    }

    assert len(bridged) > 5
    assert [name for name in bridged if _is_openai_chat(litellm, f"openai/{name}")] == []
    assert _is_openai_chat(litellm, "openai/team-model")
    assert _is_openai_chat(litellm, "openai/gpt-5-mini")
    assert not _is_openai_chat(litellm, "anthropic/claude-haiku-4-5")
