"""Starting, asking and ending the local model's process; the supervisor (core.providers.local_model) decides when."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

LOG_NAME = "local-model.log"
LOG_LIMIT_BYTES = 1_000_000

_ROOT = Path(__file__).resolve().parents[2]

# llama.cpp gets what a program needs to run and nothing else: the keys of other providers are none of its business.
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "SYSTEMROOT",
)


def serving_command(python: str) -> tuple[str, ...]:
    """The command that serves the model. The key is no part of it: anyone may list the commands of a machine."""
    return (python, "-m", "core.providers.local_model_server")


def start_process(command: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start the child, its errors in a fresh log file. The log of the start before is kept beside it.

    Raises OSError when the log cannot be written or the program cannot be run.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    # Appending, so that trimming the file moves the writer back to its start.
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=descriptor,
            cwd=_ROOT,
            env={name: value for name, value in os.environ.items() if name in _PASSED_ON},
            start_new_session=True,  # Ctrl-C in the terminal is for the app; the app ends the child
        )
    finally:
        os.close(descriptor)


def hand_over_key(process: subprocess.Popen[bytes]) -> str:
    """Make a new API key and send it down the child's stdin. Raises OSError when the child is gone already."""
    api_key = secrets.token_urlsafe(32)
    if process.stdin is not None:
        process.stdin.write(json.dumps({"api_key": api_key}).encode() + b"\n")
        process.stdin.flush()
    return api_key


def is_healthy(address: str, *, timeout_s: float) -> bool:
    """Whether `GET /health` at http://host:port answers 200 in time.

    With the standard library: an HTTP client that honours HTTP_PROXY would ask the proxy about our loopback port.
    """
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        with connection.getresponse() as response:
            response.read()
            return response.status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def trim_log(log: Path) -> None:
    """Empty the log when it has grown past its limit. What cannot be trimmed is left alone."""
    try:
        if log.stat().st_size > LOG_LIMIT_BYTES:
            os.truncate(log, 0)
    except OSError:
        return


def end_process(process: subprocess.Popen[bytes], *, listener: threading.Thread) -> None:
    """Kill the child, if it lives, and free everything it held. It has nothing to save, so it is not asked first."""
    process.kill()
    process.wait()
    listener.join(timeout=1)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # an unsent key in a pipe that nobody reads any more
