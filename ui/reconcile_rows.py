"""A reconciliation as rows and words. Pure."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

from core.costs.gap import Billed, Gap, Ours
from core.costs.invoice_files import InvoiceFile
from core.costs.invoices import Invoice, TakenDays
from core.costs.reconcile import Compared, Reconciliation
from core.costs.words import money
from core.spreadsheet import safe_cell
from ui.formats import counted
from ui.model_filter import provider_name

_CAUSES = (
    (
        "missing_here",
        "Calls missing here",
        "The provider bills calls that are not in the ledger: another program's, or another key's.",
    ),
    (
        "not_for_calls",
        "Not for a call here",
        "Lines that name none of the models used here: tools, storage, a fee, or another program's model.",
    ),
    ("missing_there", "Calls missing there", "The ledger has calls that the provider does not bill."),
    ("fresh_input", "Input tokens differ", "The same calls with other numbers of input tokens, at our price."),
    (
        "cached_input",
        "Cached input differs",
        "Other numbers of tokens read from the provider's cache. What is not there counts as input.",
    ),
    ("cache_write", "Cache writes differ", "Other numbers of tokens written to the provider's cache."),
    ("output", "Output tokens differ", "The same calls with other numbers of output tokens, at our price."),
    (
        "price",
        "Price differs",
        "The same tokens at another price: a discount, a level of service, or a price to correct.",
    ),
    ("unpriced", "Unpriced here", "The part of the bill that our calls without a price stand for."),
    ("unexplained", "Not told apart", "The files give no tokens for it. Add the provider's usage export."),
)
# The columns of the table that hold amounts.
MONEY = ("Computed", "Reported", "Billed", "Gap")
_FIELDS = (
    "day",
    "model",
    "ours_calls",
    "billed_calls",
    "ours_tokens",
    "billed_tokens",
    "computed_usd",
    "reported_usd",
    "billed_usd",
    "gap_usd",
    *(f"gap_{name}_usd" for name, _, _ in _CAUSES),
)


def cause_rows(gap: Gap) -> list[dict[str, str]]:
    """The causes of a gap that take part in it, the largest first."""
    found = [(getattr(gap, name), label, meaning) for name, label, meaning in _CAUSES if getattr(gap, name)]
    found.sort(key=lambda cause: -abs(cause[0]))
    return [{"Cause": label, "Dollars": money(amount), "Meaning": meaning} for amount, label, meaning in found]


def table_rows(found: Reconciliation) -> list[dict[str, Any]]:
    """A row for every day and model that was compared. Amounts as floats: a table sorts them, the download is exact."""
    return [_table_row(cell) for cell in found.compared]


def as_csv(found: Reconciliation) -> str:
    """The same with every figure exact and every cause in a column of its own."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_csv_row(cell) for cell in found.compared)
    return text.getvalue()


def invoice_line(invoice: Invoice) -> str:
    """An import in one line: what it is, which days, how much."""
    days = f"{invoice.first_day:%-d %b %Y}" + (
        f" to {invoice.last_day:%-d %b %Y}" if invoice.last_day != invoice.first_day else ""
    )
    parts = [invoice.layout, days, counted(invoice.lines, "line")]
    parts += [money(invoice.amount_usd)] if invoice.amount_usd is not None else []
    parts += [f"{counted(invoice.bad_rows, 'row')} left out"] if invoice.bad_rows else []
    parts += [f"by {invoice.imported_by}"] if invoice.imported_by else []
    return " · ".join(parts)


def preview_line(file: InvoiceFile) -> str:
    """What was read of a file, before it is taken."""
    amounts = [line.amount_usd for line in file.lines if line.amount_usd is not None]
    first, last = min(file.days), max(file.days)
    total = f", {money(sum(amounts, Decimal(0)))}" if amounts else ""
    lines = f"{counted(len(file.lines), 'line')} of {provider_name(file.provider)}"
    return f"{file.layout}: {lines}, {first} to {last}{total}."


def taken_line(taken: TakenDays) -> str:
    """Which days of a file will be left out, and why; empty for none."""
    if not taken.days:
        return ""
    count = f"{len(taken.days)} days are" if len(taken.days) > 1 else "1 day is"
    return f"{count} in {', '.join(taken.files)} already and will be left out, so that nothing counts twice."


def _table_row(cell: Compared) -> dict[str, Any]:
    ours, billed, gap = cell.ours, cell.billed, cell.gap
    return {
        "Day": cell.day,
        "Model": cell.model or "(no model)",
        "Calls here": ours.calls if ours else None,
        "Calls billed": billed.calls if billed else None,
        "Computed": _float(ours.computed_usd if ours else None),
        "Reported": _float(ours.reported_usd if ours and ours.reported_calls else None),
        "Billed": _float(billed.amount_usd if billed else None),
        "Gap": _float(gap.total if gap else None),
        "Main cause": _main_cause(gap),
    }


def _main_cause(gap: Gap | None) -> str:
    rows = cause_rows(gap) if gap else []
    return rows[0]["Cause"] if rows else ""


def _csv_row(cell: Compared) -> dict[str, Any]:
    gap = cell.gap
    causes = {f"gap_{name}_usd": f"{getattr(gap, name):f}" if gap else "" for name, _, _ in _CAUSES}
    total = {"gap_usd": f"{gap.total:f}" if gap else ""}
    named = {"day": cell.day, "model": safe_cell(cell.model)}
    return {**named, **_of_ours(cell.ours), **_of_bill(cell.billed), **total, **causes}


def _of_ours(ours: Ours | None) -> dict[str, Any]:
    if ours is None:
        return {}
    return {
        "ours_calls": ours.calls,
        "ours_tokens": ours.tokens.input + ours.tokens.output,
        "computed_usd": f"{ours.computed_usd:f}",
        "reported_usd": f"{ours.reported_usd:f}" if ours.reported_calls else "",
    }


def _of_bill(billed: Billed | None) -> dict[str, Any]:
    if billed is None:
        return {}
    return {
        "billed_calls": "" if billed.calls is None else billed.calls,
        "billed_tokens": "" if billed.tokens is None else billed.tokens.input + billed.tokens.output,
        "billed_usd": "" if billed.amount_usd is None else f"{billed.amount_usd:f}",
    }


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
