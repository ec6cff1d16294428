"""What concerns the server process as a whole: quiet libraries, warm imports, memory, and a stop in time."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import NoReturn

from streamlit.runtime.pages_manager import PagesManager
from uvicorn.config import LOGGING_CONFIG

from core.settings import reachable_host

Step = Callable[[], object]

_logger = logging.getLogger(__name__)

_STOPPING = (signal.SIGTERM, signal.SIGINT)
SWITCH_S = 0.0005
_COLLECT_EVERY_S = 60.0
_LATER_S = 2.0
# Above the engine's own grace for turns that are still writing their last words.
_STOP_WITHIN_S = 4.5
_ANSWER_WITHIN_S = 60.0


def prepare() -> None:
    """Set what has to be set before the first session and before the server's own start."""
    # How long one thread may keep the interpreter from another that is ready. With Python's own 5 ms a message on its
    # way to the provider waits for a page that is being drawn each time it comes back from the store (10 ms, measured).
    sys.setswitchinterval(SWITCH_S)
    # Conversations and password hashes are nobody else's on this machine: whatever is made from now on is ours alone.
    os.umask(0o077)
    # While this is unset and a folder pages/ exists, the first visitor of /some_page gets that page's script alone,
    # without app.py and its sign-in (Streamlit's discovery of pages from before st.navigation).
    PagesManager.uses_pages_directory = False
    # Uvicorn announces its process id and an address; we announce ours once it answers.
    LOGGING_CONFIG["loggers"]["uvicorn"]["level"] = "WARNING"
    # Until the server sets its own handlers, nothing needs an orderly end; after its orderly end it raises the signal
    # again.
    for number in _STOPPING:
        signal.signal(number, _exit_at_once)


def warm_up(at_once: Iterable[Step], later: Iterable[Step], *, later_s: float = _LATER_S) -> threading.Thread:
    """Run slow imports in the background, then set all that exists by now aside from garbage collection.

    `at_once` is what the first page needs: it runs while the browser still loads its scripts. `later` waits, because
    two seconds of importing under that page would double the time it takes.
    A step that fails is logged and costs speed only: whoever needs it meets the error where it can be shown.
    """

    def run() -> None:
        _run_steps(at_once)
        time.sleep(later_s)
        _run_steps(later)
        gc.collect()
        gc.freeze()

    thread = threading.Thread(target=run, name="warm-up", daemon=True)
    thread.start()
    return thread


def _run_steps(steps: Iterable[Step]) -> None:
    for step in steps:
        try:
            step()
        except Exception:
            # Warming is a courtesy to the first visitor; it must never take the server down.
            _logger.exception("A step of warming up failed")


async def collect_regularly() -> NoReturn:
    """Collect garbage on a schedule, in place of Streamlit's collection after every script run."""
    while True:
        await asyncio.sleep(_COLLECT_EVERY_S)
        gc.collect()


def stop_in_time(drain: Callable[[], object], interrupt: Callable[[], object]) -> None:
    """End the process within 5 s of Ctrl-C, or of the end of `drain`, which a SIGTERM starts on a thread.

    Also when a connection or a script refuses to end. `interrupt` ends what still runs, without waiting: the server
    waits for every answer that is being sent. A second signal waits for nothing. Call it once the server has set its
    own handlers: they still run, and an orderly end comes first.
    """
    at_once = {number: _with_deadline(signal.getsignal(number), interrupt) for number in _STOPPING}
    signal.signal(signal.SIGINT, at_once[signal.SIGINT])
    signal.signal(signal.SIGTERM, _after(drain, at_once[signal.SIGTERM]))


async def until_answering(host: str, port: int) -> bool:
    """Wait until the server answers its own health check; False when it does not within a minute."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            while not await _answers(reachable_host(host), port):  # noqa: ASYNC110 - asked over the wire
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


async def _answers(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(f"GET /_stcore/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()


Handler = Callable[[int, FrameType | None], object]


def _after(drain: Callable[[], object], end: Handler) -> Handler:
    """Drain, then have the main thread end: where the server's own handlers belong."""

    def drain_and_end() -> None:
        try:
            drain()
        except Exception:
            _logger.exception("Waiting for running answers failed")
        os.kill(os.getpid(), signal.SIGTERM)

    def handle(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, end)
        threading.Thread(target=drain_and_end, name="drain", daemon=True).start()

    return handle


def _with_deadline(earlier: Handler | int | None, interrupt: Callable[[], object]) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        timer = threading.Timer(_STOP_WITHIN_S, _give_up)
        timer.daemon = True
        timer.start()
        try:
            interrupt()
        except Exception:
            _logger.exception("Running answers could not be ended")
        if callable(earlier):
            earlier(number, frame)

    return handle


def run_to_end(main: Callable[[], int]) -> int:
    """Run until stopped, also by a library that asks to exit. Returns the exit code."""
    try:
        return main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0


def leave(code: int) -> NoReturn:
    """End the process now that everything of ours is closed.

    Python's own end would wait for library threads, and let the warm-up stumble over a half dismantled interpreter.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _give_up() -> None:
    # Nothing is lost: running turns have their checkpoint, and the next start marks them as interrupted.
    print("Switchboard was stopped before everything had ended.", file=sys.stderr)  # noqa: T201
    leave(0)


def _exit_at_once(_number: int, _frame: FrameType | None) -> None:
    # Not by an exception: one that is raised in the middle of an import leaves its lock behind, and DuckDB swallows
    # what is raised while it imports pandas.
    os._exit(0)
