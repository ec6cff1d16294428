"""Starting, watching and stopping the servers that are measured."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
_POLL_S = 0.02
_START_TIMEOUT_S = 60


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was started: its process, the port it was told to take, and where it prints."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path


def start(command: Sequence[str], *, port: int, cwd: Path, env: Mapping[str, str], log: Path) -> Server:
    """Start a server; returns at once. What it prints is appended to `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(command), cwd=cwd, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT
        )
    return Server(process, port, log)


def wait_until_listening(server: Server) -> None:
    """Block until the port takes connections. Raises RuntimeError with what was printed when that does not happen."""
    _wait(server, partial(_listens, server.port))


def wait_until_healthy(server: Server) -> None:
    """Block until Streamlit's health route answers. Raises as `wait_until_listening`."""
    _wait(server, partial(_is_healthy, server.port))


def stop(server: Server) -> None:
    """Ask a server to end, and end it by force after 10 s."""
    server.process.terminate()
    try:
        server.process.wait(10)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


def _wait(server: Server, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not condition():
        if server.process.poll() is not None or time.monotonic() > deadline:
            printed = server.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the server on port {server.port} did not start; it printed:\n{printed}")
        time.sleep(_POLL_S)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children, in MB (10^6 bytes)."""
    parent = psutil.Process(pid)
    return float(sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)]) / 1e6)


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds up to a moment (seconds of the monotonic clock): of the whole machine, and of the bench."""

    at: float
    machine: float
    own: float


def usage() -> Usage:
    """What has been used so far. Children that ended are counted with the parent that waited for them."""
    times, me = psutil.cpu_times(), psutil.Process()
    machine = sum(times) - times.idle - times.iowait
    # guest time is part of user time already
    machine -= times.guest + times.guest_nice
    return Usage(time.monotonic(), machine, sum(map(_used, [me, *me.children(recursive=True)])))


def others_cores(before: Usage, after: Usage) -> float:
    """How many processor cores other programs kept busy between two moments."""
    return max(0.0, after.machine - before.machine - (after.own - before.own)) / (after.at - before.at)


def _used(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.NoSuchProcess:
        return 0.0


def wait_until_quiet(*, busy_percent: float = 15, timeout_s: float = 60) -> bool:
    """Block until the machine's processors are mostly idle; False when they were not in time.

    The load average lags by a minute and counts the bench's own past, so the share of busy time is sampled instead.
    """
    deadline = time.monotonic() + timeout_s
    while psutil.cpu_percent(interval=0.5) > busy_percent:
        if time.monotonic() > deadline:
            return False
    return True
