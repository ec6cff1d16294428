"""What people and invoices write: days, counts and exact amounts. Pure; a ValueError says what is wrong."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

_RESOLUTION = Decimal("0.000000001")
_TOO_MUCH = Decimal(1_000_000_000)
_QUOTED_CHARACTERS = 40
# No number begins with a group of nothing: `0,125` is an eighth, written where commas stand for points.
_THOUSANDS = re.compile(r"^-?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$")


def parse_dollars(text: str) -> Decimal:
    """Dollars as somebody writes them, exact. Raises ValueError, for an empty text too.

    `0.0125`, `1.25e-05`, `$1,234.50` and `-3` are read; a comma as decimal sign is not guessed at: who means `12,50`
    must not get 1,250.
    """
    cleaned = text.strip().removeprefix("$").strip()
    if _THOUSANDS.match(cleaned):
        cleaned = cleaned.replace(",", "")
    try:
        amount = Decimal(cleaned)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or "_" in cleaned:
        raise ValueError(f"{_quoted(text)} is no amount in dollars")
    return amount


def parse_money(text: str) -> Decimal | None:
    """Dollars of an invoice to a billionth (half-even beyond, as in the ledger); None for an empty cell.

    An amount below nothing is a credit. Raises ValueError.
    """
    if not text.strip().removeprefix("$").strip():
        return None
    amount = parse_dollars(text)
    if abs(amount) >= _TOO_MUCH:
        raise ValueError(f"{_quoted(text)} is no amount in dollars")
    return amount.quantize(_RESOLUTION, rounding=ROUND_HALF_EVEN)


def parse_count(text: str) -> int | None:
    """A number of tokens or calls; None for an empty cell. `1200`, `1,200` and `1200.0` are read. Raises ValueError."""
    cleaned = text.strip()
    if not cleaned:
        return None
    if _THOUSANDS.match(cleaned):
        cleaned = cleaned.replace(",", "")
    if not re.fullmatch(r"\d{1,15}(\.0*)?", cleaned, re.ASCII):
        raise ValueError(f"{_quoted(text)} is no count")
    return int(cleaned.partition(".")[0])


def parse_day(text: str) -> date:
    """The UTC day of an ISO date, a time with or without offset, or Unix seconds. Raises ValueError."""
    cleaned = text.strip()
    if re.fullmatch(r"\d{9,10}", cleaned, re.ASCII):
        return datetime.fromtimestamp(int(cleaned), UTC).date()
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError:
        raise ValueError(f"{_quoted(text)} is no day such as 2026-11-29") from None
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()


def _quoted(text: str) -> str:
    cleaned = text.strip()
    shown = cleaned[:_QUOTED_CHARACTERS] + "…" * (len(cleaned) > _QUOTED_CHARACTERS)
    return f"“{shown}”" if shown else "an empty cell"
