"""Which replicas share this store and are alive. The store's own word: nobody has to trust another machine's clock.

Each replica makes a number in its row grow. One whose number has not changed over several looks is gone; a store that
was away for everybody makes nobody look dead, because looks that fail do not count.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clock, utc_now
from core.errors import SettingsError
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

log = logging.getLogger(__name__)

BEAT_EVERY_S = 3.0
# So many looks without a sign of life: 15 s, and a turn of a replica that died is over within 20.
_SILENT_LOOKS = 5
_RECENT = timedelta(seconds=15)
_SQL = load_queries("replicas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What all replicas must have in common, in a form that tells nothing: the session key and the folder of files."""

    secret: str
    files: str


@dataclass(slots=True)
class _Known:
    beat: int
    unchanged: int = 0


class Membership:
    """This replica among the others. `beat` belongs to one thread, the rest to any."""

    def __init__(self, database: Database, *, name: str, marks: Marks, clock: Clock = utc_now) -> None:
        """`name` is what people call it: machine and port."""
        self.id = new_id()
        self.name = name
        self._database = database
        self._marks = marks
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._names: dict[str, str] = {}
        self._alive: frozenset[str] = frozenset({self.id})

    def join(self) -> None:
        """Become one of the replicas. Raises SettingsError when another one has other secrets or files."""
        for row in self._database.fetch_all(_SQL["list"]):
            self._compare(row)
        self._database.transaction(self._insert)
        self.beat()

    def beat(self) -> Collection[str]:
        """Give a sign of life and look at the others. Returns those that are gone since the last look."""
        rows = self._database.transaction(self._sign_of_life)
        before, alive = self._alive, {self.id}
        for row in rows:
            if row["id"] == self.id or self._lives(row):
                alive.add(row["id"])
            else:
                self._database.execute(_SQL["remove_silent"], id=row["id"], beat=row["beat"])
        self._known = {name: known for name, known in self._known.items() if name in alive}
        self._alive, self._names = frozenset(alive), {row["id"]: row["name"] for row in rows}
        return before - self._alive

    @property
    def alive(self) -> frozenset[str]:
        """The ids of the replicas that are alive, this one among them."""
        return self._alive

    @property
    def leads(self) -> bool:
        """Whether this is the one that does what has to be done once: the oldest. For a moment there may be two."""
        return min(self._alive) == self.id

    def name_of(self, replica_id: str) -> str:
        """What people call a replica."""
        return self._names.get(replica_id, replica_id)

    def leave(self) -> None:
        """Go in order: nothing is left to take over."""
        try:
            self._database.execute(_SQL["leave"], id=self.id)
        except Exception:
            # The others notice by themselves.
            log.warning("this replica could not sign off", exc_info=True)

    def _lives(self, row: Row) -> bool:
        known = self._known.get(row["id"])
        if known is None or known.beat != row["beat"]:
            self._known[row["id"]] = _Known(row["beat"])
            return True
        known.unchanged += 1
        return known.unchanged < _SILENT_LOOKS

    def _sign_of_life(self, cur: Cursor) -> list[Row]:
        cur.execute(_SQL["beat"], id=self.id, now=self._clock())
        rows = cur.fetch_all(_SQL["list"])
        if not any(row["id"] == self.id for row in rows):
            # It stood still for longer than the others wait. Its turns are theirs by now.
            log.warning("this replica was taken for dead by the others; it is with them again")
            self._insert(cur)
        return rows

    def _insert(self, cur: Cursor) -> None:
        cur.execute(
            _SQL["join"],
            id=self.id,
            name=self.name,
            secret_mark=self._marks.secret,
            files_mark=self._marks.files,
            now=self._clock(),
        )

    def _compare(self, row: Row) -> None:
        if abs(self._clock() - row["seen_at"]) > _RECENT:
            return
        if row["secret_mark"] != self._marks.secret:
            raise SettingsError(
                f"The replica {row['name']} signs sessions with another key than this one.",
                next_step="Set SWITCHBOARD_SESSION_SECRET to the same 64 hexadecimal digits for every replica.",
            )
        if row["files_mark"] != self._marks.files:
            raise SettingsError(
                f"The replica {row['name']} keeps attached files in another folder than this one.",
                next_step="Set SWITCHBOARD_FILES to a folder that every replica has mounted.",
            )
