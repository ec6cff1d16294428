"""The one-time code for creating the first administrator: whoever reads the terminal owns the installation."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from typing import TypeVar

from core.accounts.passwords import READABLE, readable_code
from core.errors import AccountError

WRONG_TRIES = 10

T = TypeVar("T")


class SetupCode:
    """A code such as `7KQF-92MD`, alive in this process only. Safe to use from several threads."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        """`announce` is given each new code, to print it where only the owner reads."""
        self._announce = announce
        self._lock = threading.Lock()
        self._code: str | None = None
        self._wrong = 0

    def show(self) -> None:
        """Announce the code, once: later calls do nothing until there is a new code."""
        with self._lock:
            self._make()

    def redeem(self, typed: str, work: Callable[[], T]) -> T:
        """Run `work` if the code is right, and let nobody use the code again once it succeeded.

        Two people with the right code go one after the other. After ten wrong codes a new one is announced.
        Raises AccountError for a wrong code, and whatever `work` raises.
        """
        with self._lock:
            self._check(typed)
            result = work()
            self._code = None
            return result

    def _make(self) -> None:
        if self._code is None:
            self._code = readable_code(groups=2)
            self._wrong = 0
            self._announce(self._code)

    def _check(self, typed: str) -> None:
        self._make()
        expected = _essence(self._code or "")
        if hmac.compare_digest(_essence(typed).encode(), expected.encode()):
            return
        self._wrong += 1
        if self._wrong < WRONG_TRIES:
            raise AccountError("That code is not right.", next_step="Copy it from the terminal that runs Switchboard.")
        self._code = None
        self._make()
        raise AccountError("That was wrong too often.", next_step="There is a new code in the terminal.")


def _essence(code: str) -> str:
    return "".join(character for character in code.upper() if character in READABLE)
