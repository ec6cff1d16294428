"""What a price says besides its usual list, as rows somebody edits: longer inputs and other levels of service. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.catalog.models import Prices, ServicePrices
from core.catalog.price_entry import SERVICES
from core.costs.price_lines import STANDARD
from core.errors import PriceRefused
from ui.price_rows import NAMES

SERVICE, ABOVE = "Level of service", "Above tokens"
LEVELS = (STANDARD, *SERVICES)
# The price per call is one for all of them.
STEP_NAMES = {name: label for name, label in NAMES.items() if name != "request"}

Row = Mapping[str, Any]
ReadPrice = Callable[[str, str], Decimal]


def step_rows(prices: Prices | None) -> list[dict[str, Any]]:
    """A row for every length of input and level of service but the usual one, prices as text."""
    if prices is None:
        return []
    rows = [_row(STANDARD, tier.above_tokens, tier.prices) for tier in prices.tiers]
    for other in prices.services:
        rows.append(_row(other.service, 0, other.prices))
        rows += [_row(other.service, tier.above_tokens, tier.prices) for tier in other.prices.tiers]
    return rows


def edited_rows(rows: Sequence[Row], edits: Mapping[str, Any]) -> list[Row]:
    """The rows as somebody left them in a data editor, whose state is `edits`. Rows without a word are none."""
    changed: Mapping[int, Row] = edits.get("edited_rows", {})
    kept = [
        {**row, **changed.get(place, {})}
        for place, row in enumerate(rows)
        if place not in set(edits.get("deleted_rows", ()))
    ]
    added = [{SERVICE: STANDARD, ABOVE: 0, **row} for row in edits.get("added_rows", ())]
    return [row for row in (*kept, *added) if any(row.get(label) for label in (ABOVE, *STEP_NAMES.values()))]


def with_steps(usual: Prices, rows: Sequence[Row], *, read: ReadPrice) -> Prices:
    """The usual list with these rows on top. `read` makes an amount of a label and what was typed, or raises.

    What a longer input leaves out costs as much as below; what a level of service leaves out, like its input or output.
    Raises PriceRefused naming the row.
    """
    levels = {level: _of_level(rows, level) for level in LEVELS}
    prices = _tiered(usual, STANDARD, levels[STANDARD], read)
    services = [_service(usual, level, levels[level], read) for level in SERVICES if levels[level]]
    return replace(prices, services=tuple(services))


def _row(service: str, above_tokens: int, prices: Prices) -> dict[str, Any]:
    amounts = {label: _text(getattr(prices, name)) for name, label in STEP_NAMES.items()}
    return {SERVICE: service, ABOVE: above_tokens, **amounts}


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else f"{usd.normalize():f}"


def _of_level(rows: Sequence[Row], level: str) -> list[Row]:
    found = sorted((row for row in rows if (row.get(SERVICE) or STANDARD) == level), key=_above)
    lengths = [_above(row) for row in found]
    if len(set(lengths)) < len(lengths):
        raise PriceRefused(f"Two rows are for {level} above the same number of tokens.", next_step="Leave out one.")
    if level == STANDARD and 0 in lengths:
        raise PriceRefused(
            "A row for longer inputs says above how many tokens it counts.",
            next_step="Fill in “Above tokens”, or choose another level of service.",
        )
    if level != STANDARD and found and lengths[0]:
        raise PriceRefused(
            f"{level.capitalize()} has no price for short inputs.", next_step="Add a row above 0 tokens."
        )
    return found


def _above(row: Row) -> int:
    return int(row.get(ABOVE) or 0)


def _service(usual: Prices, level: str, rows: Sequence[Row], read: ReadPrice) -> ServicePrices:
    amounts = _amounts(rows[0], read)
    if not {"input", "output"} <= amounts.keys():
        raise PriceRefused(f"{level.capitalize()} lacks a price.", next_step="Fill in its input and its output.")
    base = Prices(**amounts, request=usual.request, source=usual.source)
    return ServicePrices(service=level, prices=_tiered(base, level, rows[1:], read))


def _tiered(prices: Prices, level: str, rows: Sequence[Row], read: ReadPrice) -> Prices:
    for row in rows:
        amounts = _amounts(row, read)
        if not amounts:
            raise PriceRefused(
                f"The row for {level} above {_above(row):,} tokens has no price.", next_step="Fill it in or delete it."
            )
        prices = prices.with_tier(_above(row), **amounts)
    return prices


def _amounts(row: Row, read: ReadPrice) -> dict[str, Any]:
    typed = {name: str(row.get(label) or "") for name, label in STEP_NAMES.items()}
    return {name: read(STEP_NAMES[name], text) for name, text in typed.items() if text.strip()}
