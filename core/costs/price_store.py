"""The price book in the store: reading all of it, adding to it. Nothing is ever changed or deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from core.costs.price_lines import Line, from_lines, hours_from_json, hours_to_json, to_lines
from core.costs.price_sheets import NewPrice, Sheet
from core.ids import new_id
from core.store.database import Cursor, Database, Row
from core.store.sql import load_queries

_SQL = load_queries("price_book")


@dataclass(frozen=True, slots=True)
class Book:
    """Every sheet by model, the newest first, and the digest of the price that was declined last."""

    sheets: Mapping[str, tuple[Sheet, ...]]
    declined: Mapping[str, str]

    def all_sheets(self) -> Iterable[Sheet]:
        """Every sheet of every model."""
        return (sheet for sheets in self.sheets.values() for sheet in sheets)


def version_name(version: int) -> str:
    """What the ledger calls a version of the book."""
    return f"book {version}"


def load_book(database: Database) -> Book:
    """The book as of one moment."""
    return database.snapshot(_read)


def insert_sheets(cur: Cursor, entries: Sequence[tuple[NewPrice, str]], *, now: datetime, actor_id: str | None) -> int:
    """Add prices, each with its source, within the caller's transaction. Returns the version of the last one.

    They begin and end together and have one reason: those of the first.
    """
    row = cur.fetch_one(_SQL["last_version"])
    first = (row["version"] if row else 0) + 1
    versions = list(range(first, first + len(entries)))
    price, _ = entries[0]
    cur.execute(
        _SQL["insert_sheets"],
        versions=versions,
        model_ids=[entry.model_id for entry, _ in entries],
        sources=[source for _, source in entries],
        off_peak_hours=[hours_to_json(entry.prices) for entry, _ in entries],
        valid_from=price.valid_from,
        valid_to=price.valid_to,
        now=now,
        actor=actor_id,
        reason=price.reason,
    )
    _insert_lines(
        cur,
        [
            (version, line)
            for version, (entry, _) in zip(versions, entries, strict=True)
            for line in (to_lines(entry.prices) if entry.prices else ())
        ],
    )
    return versions[-1]


def insert_decline(
    cur: Cursor, *, model_id: str, digest: str, now: datetime, actor_id: str | None, reason: str
) -> None:
    """Remember that a price was not wanted, within the caller's transaction."""
    cur.execute(
        _SQL["insert_decline"], id=new_id(), model_id=model_id, digest=digest, now=now, actor=actor_id, reason=reason
    )


def _insert_lines(cur: Cursor, lines: Sequence[tuple[int, Line]]) -> None:
    if not lines:
        return
    # One statement for the lists of 500 models: a statement per line takes a millisecond each.
    cur.execute(
        _SQL["insert_lines"],
        versions=[version for version, _ in lines],
        services=[line.service for _, line in lines],
        above_tokens=[line.above_tokens for _, line in lines],
        buckets=[line.bucket for _, line in lines],
        usd_per_million=[line.usd_per_million for _, line in lines],
    )


def _read(cur: Cursor) -> Book:
    lines: dict[int, list[Line]] = {}
    for row in cur.fetch_all(_SQL["load_lines"]):
        lines.setdefault(row.pop("version"), []).append(Line(**row))
    sheets: dict[str, list[Sheet]] = {}
    for row in reversed(cur.fetch_all(_SQL["load_sheets"])):
        sheets.setdefault(row["model_id"], []).append(_to_sheet(row, lines.get(row["version"], ())))
    declined = {row["model_id"]: row["digest"] for row in cur.fetch_all(_SQL["load_declines"])}
    return Book(MappingProxyType({name: tuple(found) for name, found in sheets.items()}), MappingProxyType(declined))


def _to_sheet(row: Row, lines: Sequence[Line]) -> Sheet:
    hours = hours_from_json(row.pop("off_peak_hours"))
    if not lines:
        return Sheet(**row, prices=None)
    prices = from_lines(lines, hours=hours, source=row["source"], version=version_name(row["version"]))
    return Sheet(**row, prices=prices)
