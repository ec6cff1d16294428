"""Keeps the model that ships with the app running: one child process, watched from one thread.

The thread starts the child, asks for its health, and starts it again with growing pauses when it dies. Nobody waits
for it but `endpoint()`, which waits without blocking its event loop. The child's address and key change at every
start, so ask for the endpoint once per call and keep nothing.
"""

from __future__ import annotations

import asyncio
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from core.clock import Clock, utc_now
from core.errors import ErrorClass, ProviderError
from core.providers.local_model_process import (
    LOG_NAME,
    end_process,
    hand_over_key,
    is_healthy,
    serving_command,
    start_process,
    trim_log,
)

State = Literal["starting", "ready", "down", "missing"]


@dataclass(frozen=True, slots=True)
class LocalModelStatus:
    """How the local model does, in a word and in a sentence. `since` is naive UTC."""

    state: State
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """The supervisor's patience. The health check gives up after `health_strikes` failures in a row."""

    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    healthy_after_s: float = 60.0
    start_timeout_s: float = 60.0
    health_interval_s: float = 10.0
    health_timeout_s: float = 5.0
    health_strikes: int = 3
    endpoint_timeout_s: float = 30.0
    stop_timeout_s: float = 3.0


def restart_pause_s(failures: int, supervision: Supervision) -> float:
    """Seconds to wait before the next start after `failures` (at least 1) ends in a row: doubling, up to a limit."""
    doublings = min(failures - 1, 32)  # 2.0**1024 would overflow
    return min(supervision.longest_pause_s, supervision.first_pause_s * 2.0**doublings)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    api_base: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Refusal:
    error_class: ErrorClass
    user_message: str
    next_step: str

    def error(self) -> ProviderError:
        return ProviderError(self.error_class, self.user_message, next_step=self.next_step)


_Outcome = _Endpoint | _Refusal
_NOT_READY = _Refusal(ErrorClass.STARTING, "The local model is still starting.", "Try again in a few seconds.")
_DOWN = _Refusal(
    ErrorClass.CONNECTION, "The local model is not running.", "It is being restarted: try again, or use another model."
)
_STOPPED = _Refusal(ErrorClass.CONNECTION, "The local model is switched off.", "Use another model.")
_MISSING = _Refusal(
    ErrorClass.NOT_FOUND, "The local model is not installed.", "Run `make install`, then start Switchboard again."
)


class _Ended(Exception):
    """The child ended, or has to; the text completes "The local model ..."."""


class _Missing(Exception):
    """The child says that a package is missing; the text is its name."""


class LocalModel:
    """The supervisor of the local model: `start()` once, `stop()` once, `status()` and `await endpoint()` at will.

    Runtime files (the log) go to `data_dir`. `command` replaces the program that is run, for tests.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        command: Sequence[str] | None = None,
        clock: Clock = utc_now,
        supervision: Supervision | None = None,
    ) -> None:
        self._log = data_dir.absolute() / LOG_NAME
        self._command = tuple(command or serving_command(sys.executable))
        self._clock = clock
        self._supervision = supervision or Supervision()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._inbox: queue.SimpleQueue[tuple[subprocess.Popen[bytes] | None, bytes]] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._ready_at: float | None = None
        self._attempt = _new_attempt()
        self._status = LocalModelStatus("starting", clock(), "The local model is starting.")

    def start(self) -> None:
        """Begin to start the model in the background. Returns at once; further calls change nothing."""
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._supervise, name="local-model", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the model and its supervisor, within 3 seconds. It cannot be started again."""
        with self._lock:
            self._stopping.set()
            process, thread = self._process, self._thread
        if process is not None:
            process.kill()  # it has nothing to save
        self._inbox.put((None, b""))
        if thread is not None:
            thread.join(self._supervision.stop_timeout_s)
        self._settle("down", "The local model is switched off.", _STOPPED)

    def status(self) -> LocalModelStatus:
        """How it does right now. Costs nothing: no lock, no I/O."""
        return self._status

    async def endpoint(self) -> tuple[str, str]:
        """The base URL of its OpenAI-compatible API and the key, as soon as it is ready.

        Waits up to 30 s for a start under way. Raises ProviderError: STARTING when that was not enough, CONNECTION
        when it is down, NOT_FOUND when it is not installed.
        """
        attempt = self._attempt
        try:
            # A Future that runs cannot be cancelled, so a caller that gives up takes nothing from the others.
            waiting = asyncio.wrap_future(attempt)
            outcome = await asyncio.wait_for(waiting, self._supervision.endpoint_timeout_s)
        except TimeoutError:
            outcome = _DOWN if self._status.state == "down" else _NOT_READY
        if isinstance(outcome, _Refusal):
            raise outcome.error()
        return outcome.api_base, outcome.api_key

    # What follows runs on the supervisor's thread.

    def _supervise(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._run_once()
            except _Missing as missing:
                detail = f"The local model is not installed: {missing} is missing. Run `make install`."
                self._settle("missing", detail, _MISSING)
                return
            except Exception as error:  # whatever went wrong, the model has to come back
                if self._stopping.is_set():
                    return
                failures = 1 if self._lasted() else failures + 1
                self._pause(error, restart_pause_s(failures, self._supervision))

    def _lasted(self) -> bool:
        healthy_s = time.monotonic() - self._ready_at if self._ready_at else 0.0
        return healthy_s >= self._supervision.healthy_after_s

    def _run_once(self) -> None:
        """Start the child and stay with it until it ends. Always raises."""
        self._ready_at = None
        self._reopen("starting", "The local model is starting.")
        with self._lock:
            if self._stopping.is_set():
                raise _Ended("was stopped.")
            self._process = process = start_process(self._command, log=self._log)
        listener = threading.Thread(target=self._listen, args=(process,), name="local-model-pipe", daemon=True)
        listener.start()
        try:
            self._watch(process, hand_over_key(process))
        finally:
            end_process(process, listener=listener)

    def _watch(self, process: subprocess.Popen[bytes], api_key: str) -> None:
        deadline = time.monotonic() + self._supervision.start_timeout_s
        address = self._await_address(process, deadline)
        while not is_healthy(address, timeout_s=self._supervision.health_timeout_s):
            if time.monotonic() > deadline:
                raise _Ended("never became healthy.")
            self._hear(process, 0.1)
        self._ready_at = time.monotonic()
        self._settle("ready", "The local model is ready.", _Endpoint(f"{address}/v1", api_key))
        self._guard(process, address)

    def _await_address(self, process: subprocess.Popen[bytes], deadline: float) -> str:
        line = self._hear(process, deadline - time.monotonic())
        if line is None:
            raise _Ended("did not start in time.")
        report = json.loads(line)
        if "missing" in report:
            raise _Missing(report["missing"])
        return str(report["address"])

    def _guard(self, process: subprocess.Popen[bytes], address: str) -> None:
        strikes = 0
        while strikes < self._supervision.health_strikes:
            self._hear(process, self._supervision.health_interval_s)
            healthy = is_healthy(address, timeout_s=self._supervision.health_timeout_s)
            strikes = 0 if healthy else strikes + 1
            trim_log(self._log)
        raise _Ended("no longer answered its health check.")

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what the child reports; an empty line says that it closed its end, which is how its death shows."""
        for line in process.stdout or ():
            self._inbox.put((process, line))
        self._inbox.put((process, b""))

    def _hear(self, process: subprocess.Popen[bytes], timeout_s: float) -> bytes | None:
        """The child's next line, or None after `timeout_s` of silence. Raises _Ended when it or the app ends."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                sender, line = self._inbox.get(timeout=left)
            except queue.Empty:
                break
            if self._stopping.is_set():
                raise _Ended("was stopped.")
            if sender is process and not line:
                raise _ending_of(process)
            if sender is process:
                return line
        return None

    def _pause(self, error: Exception, pause_s: float) -> None:
        what = str(error) if isinstance(error, _Ended) else f"could not be started ({type(error).__name__})."
        detail = (
            f"The local model {what} It is started again in {pause_s:g} s. Its log is {LOG_NAME} in the data folder."
        )
        if self._status.state == "ready":
            self._reopen("down", detail)  # it worked: whoever asks now waits for the next start
        else:
            self._settle("down", detail, _DOWN)
        self._stopping.wait(pause_s)

    def _reopen(self, state: State, detail: str) -> None:
        with self._lock:
            self._enter(state, detail)
            if self._attempt.done():
                self._attempt = _new_attempt()

    def _settle(self, state: State, detail: str, outcome: _Outcome) -> None:
        with self._lock:
            self._enter(state, detail)
            if self._attempt.done():
                self._attempt = _new_attempt()
            self._attempt.set_result(outcome)

    def _enter(self, state: State, detail: str) -> None:
        self._status = LocalModelStatus(state, self._clock(), detail)


def _new_attempt() -> Future[_Outcome]:
    attempt: Future[_Outcome] = Future()
    attempt.set_running_or_notify_cancel()
    return attempt


def _ending_of(process: subprocess.Popen[bytes]) -> _Ended:
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return _Ended("closed its connection to Switchboard.")
    return _Ended(f"was ended by signal {-code}." if code < 0 else f"ended with exit code {code}.")
