"""Reading what a provider says it bills: an export that is known here, or any other CSV by a mapping.

Pure: text in, lines and what is wrong with the others out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from core.costs.cell_values import parse_count, parse_day, parse_money
from core.costs.invoice_layouts import LAYOUTS, TOKENS, Cells, Gives, InvoiceLine, Layout
from core.costs.tabular import BadRow, Table, read_table
from core.errors import ImportRefused

# What a line of any file can say; `day` and one of the others have to be there.
FIELDS = (
    "day",
    "model",
    "amount_usd",
    "calls",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
)
# What other programs call these, for a first guess at a mapping.
_KNOWN_AS: Mapping[str, tuple[str, ...]] = {
    "day": ("day", "date", "usage_date", "usage_date_utc", "start_time_iso", "start_time", "timestamp", "time"),
    "model": ("model", "model_name", "model_version", "model_id", "sku", "line_item", "description"),
    "amount_usd": ("amount_usd", "cost_usd", "amount", "cost", "amount_value", "total_cost", "spend", "usd"),
    "calls": ("calls", "requests", "num_model_requests", "num_requests", "request_count"),
    "input_tokens": ("input_tokens", "prompt_tokens", "context_tokens"),
    "cached_input_tokens": ("cached_input_tokens", "input_cached_tokens", "cached_tokens", "cache_read_tokens"),
    "cache_write_tokens": ("cache_write_tokens", "cache_creation_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens", "generated_tokens"),
}

Mapped = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFile:
    """A file that was read: whose it is, what it gives, its lines and the rows that were left out."""

    name: str
    content_hash: str
    provider: str
    layout: str
    gives: Gives
    lines: tuple[InvoiceLine, ...]
    bad: tuple[BadRow, ...]

    @property
    def days(self) -> frozenset[date]:
        """The UTC days it says something about."""
        return frozenset(line.day for line in self.lines)


def columns_of(data: bytes, *, name: str) -> tuple[str, ...]:
    """The columns of a file. Raises ImportRefused."""
    return read_table(data, name=name).columns


def known_layout(columns: Iterable[str]) -> Layout | None:
    """The export that has these columns, if it is one we know."""
    found = frozenset(columns)
    return next((layout for layout in LAYOUTS if layout.needs <= found), None)


def guess_mapping(columns: Iterable[str]) -> dict[str, str]:
    """Which column probably holds which field, by name; only fields with a likely column are in it."""
    by_name = {column.casefold().replace(" ", "_"): column for column in columns}
    guesses = {
        field: next((by_name[name] for name in names if name in by_name), None) for field, names in _KNOWN_AS.items()
    }
    return {field: column for field, column in guesses.items() if column is not None}


def read_invoice(data: bytes, *, name: str, provider: str | None = None, mapping: Mapped | None = None) -> InvoiceFile:
    """Read a provider's file. With a `mapping` of fields to columns and a `provider`, a file of any layout.

    Raises ImportRefused when it is no CSV, no layout that we know and nothing is mapped, or no row of it can be used.
    """
    table = read_table(data, name=name)
    layout = known_layout(table.columns) if mapping is None else _mapped_layout(mapping, provider or "", table.columns)
    if layout is None:
        raise ImportRefused(
            f"{name} is no export that is known here (it has {', '.join(table.columns[:6])} …).",
            next_step="Choose its provider and say which column holds the day, the model and the amount.",
        )
    lines, bad = _read(table, layout)
    if not lines:
        first = f" The first problem: line {bad[0].line} {bad[0].reason}." if bad else ""
        raise ImportRefused(
            f"No row of {name} can be used.{first}", next_step="Check that the right columns are chosen."
        )
    return InvoiceFile(
        name=name,
        content_hash=hashlib.sha256(data).hexdigest(),
        provider=provider or layout.provider,
        layout=layout.name,
        gives=layout.gives,
        lines=tuple(lines),
        bad=tuple(bad),
    )


def _read(table: Table, layout: Layout) -> tuple[list[InvoiceLine], list[BadRow]]:
    lines: list[InvoiceLine] = []
    bad: list[BadRow] = []
    for batch in table.batches:
        bad += batch.bad
        for number, row in zip(batch.lines, batch.rows, strict=True):
            try:
                read = _checked(layout.read(number, dict(zip(table.columns, row, strict=True))))
            except ValueError as error:
                bad.append(BadRow(number, str(error)))
            else:
                lines += [] if read.says_nothing else [read]
    return lines, sorted(bad, key=lambda row: row.line)


def _checked(read: InvoiceLine) -> InvoiceLine:
    details = (read.cached_input_tokens or 0) + (read.cache_write_tokens or 0)
    if read.input_tokens is not None and details > read.input_tokens:
        raise ValueError(f"has {details:,} tokens read from or written to the cache, of {read.input_tokens:,} in all")
    return read


def _mapped_layout(mapping: Mapped, provider: str, columns: Iterable[str]) -> Layout:
    figures = [field for field in FIELDS if field in mapping and field not in {"day", "model"}]
    missing = [column for column in mapping.values() if column not in set(columns)]
    if not provider or "day" not in mapping or not figures or missing or mapping.keys() - set(FIELDS):
        raise ImportRefused(
            f"The file has no column {missing[0]}." if missing else "The mapping is not complete.",
            next_step="Choose a provider, the column of the day, and that of the amount or of the tokens.",
        )
    tokens = bool({*TOKENS, "calls"} & set(figures))
    gives: Gives = "both" if tokens and "amount_usd" in figures else "tokens" if tokens else "amounts"
    return Layout(name="Mapped columns", provider=provider, gives=gives, needs=frozenset(), read=_reader(mapping))


def _reader(mapping: Mapped) -> Callable[[int, Cells], InvoiceLine]:
    counts = [field for field in ("calls", *TOKENS) if field in mapping]

    def read(line: int, row: Cells) -> InvoiceLine:
        found = InvoiceLine(
            line=line,
            day=parse_day(row[mapping["day"]]),
            model=row[mapping["model"]].strip() if "model" in mapping else "",
            amount_usd=parse_money(row[mapping["amount_usd"]]) if "amount_usd" in mapping else None,
        )
        figures: dict[str, Any] = {field: parse_count(row[mapping[field]]) for field in counts}
        return replace(found, **figures)

    return read
