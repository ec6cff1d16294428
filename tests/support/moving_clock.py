"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta


class MovingClock:
    """Pass it as `clock`: naive UTC, starting on a fixed day."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, 0, 123456)  # noqa: DTZ001 - naive UTC, as everywhere

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        """Move by a timedelta's keyword arguments."""
        self.now += timedelta(**duration)
