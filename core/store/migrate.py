"""Bringing a store to the shape this version expects.

Migrations are numbered SQL files, applied in order, each in one transaction together with its record. A store that
holds an edited or unknown migration is refused: guessing there loses data.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

from core.clock import Clock, utc_now
from core.errors import StoreDamaged, StoreTooNew
from core.store.database import Cursor, Database
from core.store.views import create_views, make_indexes

_FILE_NAME = re.compile(r"^(\d{4})_(\w+)\.sql$")
_RECORDS = """
create table if not exists migrations (
    number integer primary key, name text not null, checksum text not null, applied_at timestamp not null
)"""

# Taken before anything is read: what another process applied while this one waited is then seen.
_LOCK = "set local lock_timeout = '10min'; lock table migrations in exclusive mode"
_APPLIED = "select number from migrations where number = $number"

# A table of this name stands in a store that is being copied into (core.store.copying).
MARK_OF_COPY = "unfinished_copy"

_TABLES = """-- server
select table_name::text as table_name from information_schema.tables where table_schema = current_schema()"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, its name, its SQL text."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped_migrations() -> tuple[Migration, ...]:
    """The migrations of this version, in order."""
    found = (
        Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8"))
        for entry in files("core.store").joinpath("migrations").iterdir()
        if (match := _FILE_NAME.match(entry.name))
    )
    return tuple(sorted(found, key=lambda migration: migration.number))


def migrate(
    database: Database,
    *,
    migrations: Sequence[Migration] | None = None,
    clock: Clock = utc_now,
    unfinished: bool = False,
) -> list[Migration]:
    """Apply what is missing and return it.

    By default the shipped ones, and the views over what they make. Raises StoreTooNew for a store written by a newer
    version, StoreDamaged for one whose record differs from the shipped text, or that is half a copy of another (which
    `unfinished` allows). Neither changes anything.
    """
    known = shipped_migrations() if migrations is None else migrations
    _refuse_foreign(database, unfinished=unfinished)
    database.transaction(lambda cur: cur.shape(_RECORDS))
    missing = pending(database, migrations=known)
    applied = [
        migration for migration in missing if database.transaction(partial(_apply, migration=migration, clock=clock))
    ]
    if migrations is None:
        make_indexes(database)
        create_views(database)
    return applied


def steps_to_apply(database: Database) -> list[Migration]:
    """What `migrate` would apply, without changing anything. Raises as `migrate` does."""
    _refuse_foreign(database)
    known = shipped_migrations()
    return pending(database, migrations=known) if database.fetch_all(_TABLES) else list(known)


def pending(database: Database, *, migrations: Sequence[Migration]) -> list[Migration]:
    """The migrations a store still needs. Raises as `migrate` does."""
    rows = database.fetch_all("select number, name, checksum from migrations order by number")
    by_number = {migration.number: migration for migration in migrations}
    for row in rows:
        _check(row["number"], row["name"], row["checksum"], by_number.get(row["number"]))
    applied = {row["number"] for row in rows}
    return [migration for migration in migrations if migration.number not in applied]


def _refuse_foreign(database: Database, *, unfinished: bool = False) -> None:
    names = {row["table_name"] for row in database.fetch_all(_TABLES)}
    if names and "migrations" not in names:
        raise StoreDamaged(
            f"The store {database.url.removeprefix('duckdb:')} holds another program's tables.",
            next_step="Point SWITCHBOARD_STORE at an empty one. This one was not changed.",
        )
    if MARK_OF_COPY in names and not unfinished:
        raise StoreDamaged(
            f"The store {database.url.removeprefix('duckdb:')} is an unfinished copy of another one.",
            next_step="Run the same `python -m core store copy` again: it goes on where it stopped.",
        )


def _check(number: int, name: str, checksum: str, shipped: Migration | None) -> None:
    if shipped is None:
        raise StoreTooNew(
            f"The store was written by a newer Switchboard (it holds step {number:04} {name}).",
            next_step="Install that version again, or restore a backup from before the upgrade.",
        )
    if shipped.checksum != checksum:
        raise StoreDamaged(
            f"Step {number:04} {name} of the store differs from the one in this version.",
            next_step="Restore the original file core/store/migrations, or a backup of the store.",
        )


def _apply(cur: Cursor, *, migration: Migration, clock: Clock) -> bool:
    """False when another process on the same store has applied it in the meantime."""
    if cur.shared:
        cur.on_server(_LOCK)
        if cur.fetch_one(_APPLIED, number=migration.number) is not None:
            return False
    cur.shape(migration.sql)
    cur.execute(
        "insert into migrations values ($number, $name, $checksum, $applied_at)",
        number=migration.number,
        name=migration.name,
        checksum=migration.checksum,
        applied_at=clock(),
    )
    return True
