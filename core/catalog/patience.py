"""Waiting for somebody else without counting our own lateness against them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# Long enough to cost nothing, short enough that a limit of seconds is kept to a twentieth.
TICK_S = 0.25


async def patiently(work: Coroutine[Any, Any, T], *, limit_s: float) -> T:
    """What `work` brings. Raises TimeoutError, and cancels it, when it has not ended within `limit_s` seconds.

    The time is counted in ticks of this loop and not by the clock: while something holds the loop or the whole process
    up (an import, a busy machine), no tick passes, and the turn that `work` missed meanwhile comes before the next.
    """
    task = asyncio.ensure_future(work)
    tick_s = min(TICK_S, limit_s / 4)
    try:
        for _ in range(math.ceil(limit_s / tick_s)):
            done, _pending = await asyncio.wait({task}, timeout=tick_s)
            if done:
                return await task
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            # What it raises on its way out is of no interest any more.
            await asyncio.gather(task, return_exceptions=True)
