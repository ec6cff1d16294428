"""Time as a dependency: pass a Clock so that tests hold it still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

# Naive datetimes in UTC everywhere: DuckDB's TIMESTAMP has no zone, and TIMESTAMPTZ needs pytz on fetch.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, naive, in UTC, in whole microseconds."""
    return datetime.now(UTC).replace(tzinfo=None)


def monotonic_ms() -> float:
    """Milliseconds on a clock that never goes back; only differences mean anything."""
    return time.perf_counter() * 1000
