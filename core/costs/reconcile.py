"""Three figures for the same calls: ours, what providers reported call by call, and what they bill, by day and model.

Days are UTC, as in providers' files. A bill knows the provider's model names and not ours, so calls are put together by
that name: spelling, date and prefix of it aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import add

from core.catalog.models import ModelSpec, Prices
from core.costs.gap import Billed, Gap, Ours, Tokens, explain
from core.store.database import Database, Row
from core.store.reader import Reader
from core.store.sql import load_queries

_SQL = load_queries("invoices")
_ZERO = Decimal(0)
_DATE = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
_BUCKETS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")

Models = Mapping[str, ModelSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One model on one day: what each side says, and the gap by cause. `model` is the provider's name for it."""

    day: date
    model: str
    ours: Ours | None
    billed: Billed | None
    gap: Gap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A provider's period: what was compared, and the days with calls of ours that no file covers."""

    provider: str
    compared: tuple[Compared, ...]
    days_without_file: tuple[date, ...]

    @property
    def billed_usd(self) -> Decimal:
        """What the files add up to."""
        return sum((cell.billed.amount_usd or _ZERO for cell in self.compared if cell.billed), _ZERO)

    @property
    def computed_usd(self) -> Decimal:
        """Our own figure for the days that the files give amounts for."""
        return sum((cell.ours.computed_usd for cell in self.compared if cell.ours and cell.gap is not None), _ZERO)

    @property
    def reported_usd(self) -> Decimal:
        """What the provider reported call by call on those days."""
        return sum((cell.ours.reported_usd for cell in self.compared if cell.ours and cell.gap is not None), _ZERO)

    @property
    def gap(self) -> Gap:
        """The gaps of all cells, cause by cause."""
        return reduce(add, (cell.gap for cell in self.compared if cell.gap is not None), Gap())

    @property
    def coverage_percent(self) -> Decimal | None:
        """The share of the bill whose calls are in the ledger, 0 to 100; None without a bill."""
        if not self.billed_usd:
            return None
        return max(_ZERO, 100 - 100 * (self.gap.missing_here + self.gap.not_for_calls) / self.billed_usd)


def reconcile(
    database: Database, ledger: Reader, *, provider: str, since: date, until: date, models: Models
) -> Reconciliation:
    """Compare what `provider` bills, which is in the store, with the ledger.

    For the UTC days from `since` up to and without `until`.
    """
    period = {"provider": provider, "since": since, "until": until}
    billed_rows = database.fetch_all(_SQL["billed"], **period)
    our_rows = ledger.fetch_all(_SQL["ours"], **period)
    with_amounts = {row["day"] for row in billed_rows if row["amount_usd"] is not None}
    covered = {row["day"] for row in billed_rows}
    billed = _by_model(billed_rows, lambda row: str(row["model"]))
    ours = _by_model(our_rows, lambda row: _billed_as(row, models))
    # Of models that people may use now, or did in this time.
    names = {comparable_name(model.upstream) for model in models.values()} | {name for _, name in ours}
    cells = [
        _compare(
            key,
            ours.get(key, []),
            billed.get(key, []),
            with_amounts,
            models,
            used_here=bool(key[1]) and key[1] in names,
        )
        for key in sorted(ours.keys() | billed.keys())
        if key[0] in covered
    ]
    left = sorted({row["day"] for row in our_rows} - covered)
    return Reconciliation(provider=provider, compared=tuple(cells), days_without_file=tuple(left))


def comparable_name(model: str) -> str:
    """A model's name without what differs between a price list, a bill and an API.

    `Claude Haiku 4.5` is the same as `anthropic/claude-haiku-4-5-20251001`.
    """
    name = model.strip().casefold().rpartition("/")[2]
    return _DATE.sub("", re.sub(r"[\s._@:]+", "-", name))


def _by_model(rows: Iterable[Row], name: Callable[[Row], str]) -> Mapping[tuple[date, str], list[tuple[str, Row]]]:
    found: dict[tuple[date, str], list[tuple[str, Row]]] = {}
    for row in rows:
        found.setdefault((row["day"], comparable_name(name(row))), []).append((name(row), row))
    return found


def _billed_as(row: Row, models: Models) -> str:
    model = models.get(row["model_id"])
    return str(row["upstream_model"] or (model.upstream if model else None) or row["model_id"])


def _compare(
    key: tuple[date, str],
    our_rows: list[tuple[str, Row]],
    billed_rows: list[tuple[str, Row]],
    with_amounts: set[date],
    models: Models,
    *,
    used_here: bool,
) -> Compared:
    ours = _ours([row for _, row in our_rows]) if our_rows else None
    billed = _billed([row for _, row in billed_rows]) if billed_rows else None
    comparable = billed is not None or key[0] in with_amounts
    return Compared(
        day=key[0],
        model=(billed_rows or our_rows)[0][0],
        ours=ours,
        billed=billed,
        gap=explain(ours, billed, _prices(our_rows, models), used_here=used_here) if comparable else None,
    )


def _prices(our_rows: list[tuple[str, Row]], models: Models) -> Prices | None:
    most = max(our_rows, key=lambda named: int(named[1]["input_tokens"]), default=None)
    model = models.get(most[1]["model_id"]) if most else None
    return model.prices if model else None


def _ours(rows: list[Row]) -> Ours:
    return Ours(
        calls=_sum(rows, "calls"),
        unpriced_calls=_sum(rows, "unpriced_calls"),
        unpriced_tokens=_sum(rows, "unpriced_tokens"),
        tokens=_tokens(rows),
        computed_usd=sum((row["computed_usd"] for row in rows), _ZERO),
        reported_usd=sum((row["reported_usd"] for row in rows), _ZERO),
        reported_calls=_sum(rows, "reported_calls"),
    )


def _billed(rows: list[Row]) -> Billed:
    amounts = [row["amount_usd"] for row in rows if row["amount_usd"] is not None]
    return Billed(
        amount_usd=sum(amounts, _ZERO) if amounts else None,
        calls=_sum(rows, "calls") if any(row["calls"] is not None for row in rows) else None,
        tokens=_tokens(rows) if any(row["input_tokens"] is not None for row in rows) else None,
    )


def _tokens(rows: list[Row]) -> Tokens:
    whole, cached, written, output = (_sum(rows, name) for name in _BUCKETS)
    return Tokens(input=whole, cached_input=cached, cache_write=written, output=output)


def _sum(rows: list[Row], name: str) -> int:
    return sum(row[name] or 0 for row in rows)
