"""A real LiteLLM proxy on loopback, as a process of its own, without a database and without a network.

It runs from an environment of its own where there is one (`python -m bench.proxy_environment` makes it, and `make test`
does so beside the tests: the proxy asks for packages whose versions would fight ours), in the same version of LiteLLM
as is installed here.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from tests.support.provider_server import port_nobody_listens_on

MASTER_KEY = "sk-of-the-loopback-proxy"
_START_S = 120.0
_POLL_S = 0.1
_QUIET = {
    # Its price map would be fetched, and a .env of any parent folder read.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "DO_NOT_TRACK": "1",
}


def environment() -> Path:
    """Where the proxy's own environment lies, or would; it need not be there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "switchboard" / f"litellm-proxy-{version('litellm')}"


def unfinished() -> Path:
    """The mark in an environment that is being made, or whose making was broken off."""
    return environment() / ".unfinished"


def program() -> Path | None:
    """The proxy's program; None where its environment was not made, or not to its end."""
    found = environment() / "bin" / "litellm"
    return found if found.is_file() and not unfinished().exists() else None


@contextmanager
def making() -> Iterator[None]:
    """One process at a time makes the environment; another one waits here."""
    environment().parent.mkdir(parents=True, exist_ok=True)
    with _lock().open("w") as lock:
        # The system lets go of it when a process ends, however it does.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def being_made() -> bool:
    """Whether a process is making the environment now."""
    if not _lock().exists():
        return False
    with _lock().open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock() -> Path:
    return environment().with_name(f"{environment().name}.lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model of the proxy: the name it goes by, its name at the provider, and prices in USD per token."""

    name: str
    upstream: str
    prices: Mapping[str, float] = field(default_factory=dict)


class LiteLLMProxy:
    """The proxy with one worker while the block runs; a context manager. What it prints goes to a file in `folder`."""

    def __init__(self, folder: Path, *, api_base: str, models: list[Served]) -> None:
        """`api_base` is the provider behind it."""
        self._folder = folder
        self._config = _config(api_base, models)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port_nobody_listens_on()

    @property
    def api_base(self) -> str:
        """The address for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        """Start it and wait until it answers. Raises RuntimeError with what it printed when it does not."""
        found = program()
        if found is None:
            raise RuntimeError(f"there is no LiteLLM proxy in {environment()}")
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "proxy.json"
        config.write_text(json.dumps(self._config), encoding="utf-8")  # JSON is YAML
        command = [str(found), "--config", str(config), "--host", "127.0.0.1", "--port", str(self.port)]
        with (self._folder / "proxy.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--num_workers", "1", "--telemetry", "False"],
                cwd=self._folder,
                env={**os.environ, **_QUIET},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                printed = (self._folder / "proxy.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the LiteLLM proxy did not start; it printed:\n{printed[-2000:]}")
            time.sleep(_POLL_S)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/liveliness", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _config(api_base: str, models: list[Served]) -> dict[str, Any]:
    called = [
        {
            "model_name": model.name,
            "litellm_params": {
                "model": f"openai/{model.upstream}",
                "api_base": api_base,
                "api_key": "none",
                **model.prices,
            },
        }
        for model in models
    ]
    return {
        "model_list": called,
        "general_settings": {"master_key": MASTER_KEY},
        "router_settings": {"num_retries": 0},
        "litellm_settings": {"num_retries": 0},
    }
