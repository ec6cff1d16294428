"""An asyncio loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading

from core.chat.loop_thread import LoopThread


def test_functions_run_on_the_loops_thread_and_not_after_the_close():
    loop = LoopThread("a-loop")
    ran_on = []
    done = threading.Event()

    assert loop.call(lambda: (ran_on.append(threading.current_thread().name), done.set()))
    assert done.wait(5)
    assert loop.close(timeout_s=5)

    assert not loop.call(ran_on.append, "too late")
    assert loop.close(timeout_s=5)
    assert ran_on == ["a-loop"]


def test_the_close_cancels_what_runs_and_lets_it_clean_up():
    loop = LoopThread("a-loop")
    started, cleaned = threading.Event(), threading.Event()

    async def run():
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    loop.call(lambda: loop.spawn(run(), name="a task"))
    assert started.wait(5)

    assert loop.close(timeout_s=5)
    assert cleaned.is_set()


def test_the_close_says_when_something_does_not_let_go():
    loop = LoopThread("a-loop")
    held, release = threading.Event(), threading.Event()

    def hold():
        held.set()
        release.wait(5)

    loop.call(hold)
    assert held.wait(5)

    assert not loop.close(timeout_s=0.01)
    release.set()
    assert loop.close(timeout_s=5)


def test_the_last_work_runs_on_the_loop_when_everything_else_is_over_and_may_fail(caplog):
    seen = []

    async def last():
        seen.append(asyncio.get_running_loop())
        raise OSError("closing failed")

    loop = LoopThread("a-loop", on_close=last)

    assert loop.close(timeout_s=5)
    assert len(seen) == 1
    assert "the last work of a loop failed" in caplog.text
