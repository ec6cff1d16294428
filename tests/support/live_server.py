"""A whole Switchboard as its own process, on a free port and a data dir of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from core.settings import PREFIX

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveServer:
    """A running server. `log` holds all that it has printed."""

    url: str
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]

    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def setup_code(self) -> str:
        """The one-time code in the terminal; the last one, when there were several."""
        pattern = re.compile(r"one-time code[^:\n]*: ([2-9A-Z]{4}-[2-9A-Z]{4})")
        return wait_for(lambda: pattern.findall(self.output()), what="the one-time code")[-1]

    def stop(self) -> None:
        """End it and wait until it is gone."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_WITHIN_S)


def start_server(directory: Path, *, port: int | None = None, **environment: str) -> LiveServer:
    """Start one in `directory` (its data dir, its home and its log live there) and wait until it answers.

    The embedded model and titles by a model are off unless their variables say otherwise; keyword arguments are
    environment variables. A second start in the same directory finds what the first one left.
    """
    port = free_port() if port is None else port
    data_dir = directory / "data"
    log = directory / "server.log"
    own = {
        "SWITCHBOARD_PORT": str(port),
        "SWITCHBOARD_DATA_DIR": str(data_dir),
        "SWITCHBOARD_LOCAL_MODEL": "off",
        "SWITCHBOARD_TITLES": "off",
        "SWITCHBOARD_DRAIN_S": "0",
        "HOME": str(directory),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "server.py"],
            cwd=ROOT,
            env={**_inherited(os.environ), **own, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = LiveServer(url=f"http://127.0.0.1:{port}", data_dir=data_dir, log=log, process=process)
    try:
        wait_for(lambda: process.poll() is not None or _healthy(server.url), what="the server", within_s=START_WITHIN_S)
        assert process.poll() is None, f"the server stopped: {server.output()}"
    except BaseException:
        server.stop()
        raise
    return server


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], T], *, what: str, within_s: float = 10.0) -> T:
    """The first true value of `condition`."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {within_s} s for {what}"
        time.sleep(0.05)  # another process: there is no event to wait on
    return value


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_stcore/health", timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _inherited(environment: Mapping[str, str]) -> dict[str, str]:
    # Neither settings nor provider keys of whoever runs the tests.
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith((PREFIX, "STREAMLIT_")) and not name.endswith(("_API_KEY", "_TOKEN"))
    }
