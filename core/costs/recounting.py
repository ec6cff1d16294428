"""When sums that are held in memory are made anew from the ledger."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.store.database import Database

log = logging.getLogger(__name__)


class Recounting:
    """Makes sums anew, one time at a time, and knows whether there is a reason to. Safe to use from any thread."""

    def __init__(self, database: Database, count: Callable[[], None], *, of: str) -> None:
        """`count` sums up the ledger; `of` is what, for the log. Nothing is counted before `now`."""
        self._database = database
        self._count = count
        self._of = of
        self._one_at_a_time = threading.Lock()
        self._counted_version = -1

    def now(self) -> None:
        """Count. Raises what the store raises."""
        with self._one_at_a_time:
            version = self._database.version
            self._count()
            self._counted_version = version

    def if_changed(self) -> None:
        """Count when anything was written since the last time; a failure is logged and what is known stays."""
        if self._database.version == self._counted_version:
            return
        try:
            self.now()
        except Exception:
            log.exception("%s could not be summed up again; the last sums go on to hold", self._of)
