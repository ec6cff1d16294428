"""The two applications behind one face: how to start each, reach it, and work its controls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Page

from bench import history, processes, seed
from bench.processes import Server
from bench.provider import Provider

PASSWORD = "bench-password-1"  # noqa: S105 - of a throw-away installation on loopback
_COOKIE = "switchboard_session"
COMPOSER = '[data-testid="stChatInputTextArea"]'


class App(Protocol):
    """What the measures need of an application. `models[0]` is the one a new conversation uses."""

    name: str
    composer: str
    answer: str
    needs_sign_in: bool
    server: Server

    def prepare(self, *, models: Sequence[str], histories: int = 0) -> None:
        """Make an installation that knows `models`, with that many conversations of 100 messages."""

    def start(self) -> None:
        """Start the server; returns at once."""

    def stop(self) -> None:
        """End the server."""

    def path(self, *, history: int | None = None) -> str:
        """The path and query of an empty conversation, or of the conversation of 100 messages with that number."""

    def sign_in(self, page: Page) -> None:
        """Sign in on a page that shows the sign-in form."""

    def choose_model(self, page: Page, model: str) -> None:
        """Pick a model in the selector; the last key or click is the choice itself."""


@dataclass
class PlainApp:
    """The baseline of `plain_app.py`, with Streamlit's own defaults."""

    folder: Path
    provider: Provider
    name: str = "plain"
    composer: str = COMPOSER
    answer: str = '[data-testid="stChatMessage"]'
    needs_sign_in: bool = False
    server: Server = field(init=False)
    _models: Sequence[str] = ()

    def prepare(self, *, models: Sequence[str], histories: int = 0) -> None:  # noqa: ARG002 - it makes its history itself
        self._models = models
        self.folder.mkdir(parents=True, exist_ok=True)
        messages = [{"role": role, "content": content} for role, content in history.messages()]
        (self.folder / "history.json").write_text(json.dumps(messages), encoding="utf-8")

    def start(self) -> None:
        port = processes.free_port()
        script = str(processes.ROOT / "bench" / "plain_app.py")
        flags = {"server.port": port, "server.headless": "true", "browser.gatherUsageStats": "false"}
        command = [sys.executable, "-m", "streamlit", "run", script, *(f"--{key}={flags[key]}" for key in flags)]
        # In a folder of its own, so that the project's .streamlit/config.toml does not tune the baseline.
        log = self.folder / "server.log"
        self.server = processes.start(command, port=port, cwd=self.folder, env=self._env(), log=log)

    def _env(self) -> dict[str, str]:
        return {
            "BENCH_MODELS": ",".join(self._models),
            "BENCH_API_BASE": self.provider.api_base,
            "BENCH_HISTORY": str(self.folder / "history.json"),
            # The price map is not fetched: a network that hangs must not count against the baseline.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }

    def stop(self) -> None:
        processes.stop(self.server)

    def path(self, *, history: int | None = None) -> str:
        return "/" if history is None else "/?seed=100"

    def sign_in(self, page: Page) -> None:
        raise NotImplementedError("the plain application has no sign-in")

    def choose_model(self, page: Page, model: str) -> None:
        page.get_by_role("combobox", name="Model", exact=True).click()
        page.get_by_role("option", name=model, exact=True).click()


@dataclass
class Switchboard:
    """This application, started as people start it, in a data dir of its own and without the local model."""

    folder: Path
    provider: Provider
    name: str = "ours"
    composer: str = COMPOSER
    answer: str = '[data-testid="stChatMessage"]'
    needs_sign_in: bool = True
    server: Server = field(init=False)
    _data: Path = field(init=False)
    _conversations: Sequence[str] = ()

    def prepare(self, *, models: Sequence[str], histories: int = 0) -> None:
        # A folder per installation: the first start must find nothing.
        self._data = self.folder / f"data-{time.monotonic_ns()}"
        self._data.mkdir(parents=True)
        (self._data / "models.yaml").write_text(_registry(models, self.provider.api_base), encoding="utf-8")
        self._conversations = ()
        if histories:
            url = f"duckdb:{self._data / 'switchboard.duckdb'}"
            self._conversations = seed.conversations(url, password=PASSWORD, model=models[0], count=histories)

    def start(self) -> None:
        port, log = processes.free_port(), self._data / "server.log"
        command = [sys.executable, "server.py"]
        self.server = processes.start(command, port=port, cwd=processes.ROOT, env=self._env(port), log=log)

    def make_token(self) -> str:
        """An API token of the administrator, who is made if missing; the server must not run yet."""
        seed.conversations(f"duckdb:{self._data / 'switchboard.duckdb'}", password=PASSWORD, model="", count=0)
        command = [sys.executable, "-m", "core", "tokens", "create", "--user", "admin", "--name", "bench"]
        env = {**os.environ, **self._env(processes.free_port())}
        done = subprocess.run(command, cwd=processes.ROOT, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip().splitlines()[-1]

    def _env(self, port: int) -> dict[str, str]:
        return {
            "SWITCHBOARD_PORT": str(port),
            "SWITCHBOARD_DATA_DIR": str(self._data),
            "SWITCHBOARD_MODELS": str(self._data / "models.yaml"),
            "SWITCHBOARD_LOCAL_MODEL": "off",
            "SWITCHBOARD_TITLES": "off",
            "SWITCHBOARD_ADMIN_PASSWORD": PASSWORD,
        }

    def stop(self) -> None:
        processes.stop(self.server)

    def path(self, *, history: int | None = None) -> str:
        return "/" if history is None else f"/?c={self._conversations[history]}"

    def sign_in(self, page: Page) -> None:
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").first.fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        # Written by a component about a second later; without it the next page would ask again.
        while not any(cookie["name"] == _COOKIE for cookie in page.context.cookies()):
            page.wait_for_timeout(50)

    def choose_model(self, page: Page, model: str) -> None:
        page.get_by_role("combobox", name="Model", exact=True).click()
        page.get_by_role("option", name=model).click()


def _registry(models: Sequence[str], api_base: str) -> str:
    lines = ["providers:", f"  bench: {{kind: openai, api_base: {api_base}, api_key: none}}", "models:"]
    for model in models:
        lines += [f"  - id: {model}", f"    call: bench/{model}", "    price: {input: 0.25, output: 2.00}"]
    return "\n".join([*lines, ""])
