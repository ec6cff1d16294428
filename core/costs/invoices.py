"""The files of providers in the store: taken once, listed, removed. Every change is in the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from core.clock import Clock, utc_now
from core.costs.invoice_files import InvoiceFile
from core.costs.invoice_layouts import InvoiceLine
from core.errors import ImportRefused, NotFound
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("invoices")

# Writes an audit row inside a transaction (core.accounts.audit.record).
Record = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A file that was taken in. Times are naive UTC; `amount_usd` is None for one that gives tokens only."""

    id: str
    provider: str
    file_name: str
    layout: str
    gives: str
    bad_rows: int
    imported_at: datetime
    imported_by: str | None
    lines: int
    first_day: date
    last_day: date
    amount_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class TakenDays:
    """Days that another file gives already, and the names of those files."""

    days: frozenset[date]
    files: tuple[str, ...]


def taken_days(database: Database, file: InvoiceFile) -> TakenDays:
    """The days of `file` that would count twice. Raises ImportRefused when this very file is in the store."""
    with database.cursor() as cur:
        return _taken_days(cur, file)


def import_invoice(
    database: Database, file: InvoiceFile, *, actor_id: str | None, record: Record, clock: Clock = utc_now
) -> str:
    """Keep what a file says, without the days another one gives already, and return the id of the import.

    Raises ImportRefused when the very file is there, or nothing of it is new.
    """
    return database.transaction(partial(_import, file=file, actor_id=actor_id, record=record, clock=clock))


def list_invoices(database: Database) -> list[Invoice]:
    """Everything that was imported, the newest first."""
    return [Invoice(**row) for row in database.fetch_all(_SQL["list_invoices"])]


def remove_invoice(
    database: Database, invoice_id: str, *, actor_id: str | None, record: Record, clock: Clock = utc_now
) -> None:
    """Forget a file. Raises NotFound."""

    def work(cur: Cursor) -> None:
        found = cur.fetch_one(_SQL["find_invoice"], id=invoice_id)
        if found is None:
            raise NotFound("That import is gone already.", next_step="Load the page again.")
        cur.execute(_SQL["delete_invoice_lines"], id=invoice_id)
        cur.execute(_SQL["delete_invoice"], id=invoice_id)
        record(cur, actor_id=actor_id, action="invoice.remove", subject=found["file_name"], before=found, clock=clock)

    database.transaction(work)


def known_providers(database: Database) -> list[str]:
    """The providers that calls have gone to, by name."""
    return [row["provider"] for row in database.fetch_all(_SQL["providers"])]


def _import(cur: Cursor, *, file: InvoiceFile, actor_id: str | None, record: Record, clock: Clock) -> str:
    taken = _taken_days(cur, file)
    lines = [line for line in file.lines if line.day not in taken.days]
    if not lines:
        raise ImportRefused(
            f"Every day of {file.name} is in {', '.join(taken.files)} already.",
            next_step="Remove that import first, to take these days from this file.",
        )
    invoice_id = new_id()
    kept = replace(file, lines=tuple(lines))
    cur.execute(_SQL["insert_invoice"], id=invoice_id, imported_at=clock(), imported_by=actor_id, **_about(kept))
    cur.append("invoice_lines", [_row(line, invoice_id) for line in lines])
    after = {"provider": file.provider, "layout": file.layout, "lines": len(lines)}
    record(cur, actor_id=actor_id, action="invoice.import", subject=file.name, after=after, clock=clock)
    return invoice_id


def _about(file: InvoiceFile) -> dict[str, object]:
    return {
        "provider": file.provider,
        "file_name": file.name,
        "layout": file.layout,
        "gives": file.gives,
        "content_hash": file.content_hash,
        "bad_rows": len(file.bad),
    }


def _taken_days(cur: Cursor, file: InvoiceFile) -> TakenDays:
    same = cur.fetch_one(_SQL["same_file"], content_hash=file.content_hash)
    if same is not None:
        raise ImportRefused(
            f"This file was imported already, as {same['file_name']}, on {same['imported_at']:%Y-%m-%d}.",
            next_step="Nothing was changed. Remove that import first, to read the file again.",
        )
    rows = cur.fetch_all(_SQL["taken_days"], provider=file.provider, gives=file.gives)
    taken = [row for row in rows if row["day"] in file.days]
    return TakenDays(frozenset(row["day"] for row in taken), tuple(dict.fromkeys(row["file_name"] for row in taken)))


def _row(line: InvoiceLine, invoice_id: str) -> dict[str, object]:
    return {
        "invoice_id": invoice_id,
        "line": line.line,
        "day": line.day,
        "model": line.model,
        "item": line.item,
        "amount_usd": line.amount_usd,
        "calls": line.calls,
        "input_tokens": line.input_tokens,
        "cached_input_tokens": line.cached_input_tokens,
        "cache_write_tokens": line.cache_write_tokens,
        "output_tokens": line.output_tokens,
    }
