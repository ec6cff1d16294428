"""The entries of the price book as values: which of them holds when, and what may be entered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.catalog.models import BUCKETS, Prices
from core.costs.price_lines import STANDARD, to_lines
from core.errors import PriceRefused

REGISTRY, ADMINISTRATOR = "registry", "administrator"
_LONGEST_REASON = 500
_MOST_USD = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One entry of the book: what a model costs from `valid_from` until before `valid_to` (None: until further notice).

    `prices` None ends what came before: calls are unpriced from there on. Times are naive UTC. `entered_by` is a
    person's name; None: the installation itself.
    """

    version: int
    model_id: str
    prices: Prices | None
    valid_from: datetime
    valid_to: datetime | None
    source: str
    entered_at: datetime
    entered_by: str | None
    reason: str

    def holds(self, moment: datetime) -> bool:
        """Whether `moment` is within."""
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A price that a source offers and that is not in force: `current` is, None when none is."""

    model_id: str
    label: str
    current: Sheet | None
    offered: Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """A price to enter, or with `prices` None the end of one. `valid_to` None: until further notice."""

    model_id: str
    prices: Prices | None
    valid_from: datetime
    valid_to: datetime | None = None
    reason: str = ""


def priced(sheets: Sequence[Sheet], moment: datetime) -> Prices | None:
    """What a model with these sheets, the newest first, costs at `moment`; None when no price holds then."""
    sheet = in_force(sheets, moment)
    return None if sheet is None else sheet.prices


def in_force(sheets: Sequence[Sheet], moment: datetime) -> Sheet | None:
    """Of a model's sheets, the newest first, the one that holds at `moment`; None when none does."""
    return next((sheet for sheet in sheets if sheet.holds(moment)), None)


def boundaries(sheets: Iterable[Sheet]) -> set[datetime]:
    """The moments at which another sheet may begin to hold."""
    found = list(sheets)
    return {sheet.valid_from for sheet in found} | {sheet.valid_to for sheet in found if sheet.valid_to is not None}


def next_change(sheets: Iterable[Sheet], now: datetime) -> datetime | None:
    """The next moment at which another sheet may begin to hold; None when nothing is due."""
    return min((moment for moment in boundaries(sheets) if moment > now), default=None)


def default_end(sheets: Sequence[Sheet], valid_from: datetime) -> datetime | None:
    """Until when a price that is entered late holds, unless its author says otherwise: what came after it stays."""
    return min((sheet.valid_from for sheet in sheets if sheet.valid_from > valid_from), default=None)


def ending(model_id: str, sheets: Sequence[Sheet], *, at: datetime | None, now: datetime, reason: str) -> NewPrice:
    """The entry that ends a model's price `at` a moment, None being now, until the next one that the book has.

    Raises PriceRefused for a moment of the past, where no price holds then, and without a reason.
    """
    moment = now if at is None else at
    if moment < now:
        raise PriceRefused(
            "A price ends now or later: calls of the past were priced with it.",
            next_step="To correct them, enter what they cost.",
        )
    if priced(sheets, moment) is None:
        raise PriceRefused("No price holds then that could end.", next_step="Choose another moment.")
    until = default_end(sheets, moment)
    return NewPrice(model_id=model_id, prices=None, valid_from=moment, valid_to=until, reason=check_reason(reason))


def effective_end(sheet: Sheet, sheets: Iterable[Sheet]) -> datetime | None:
    """When a sheet stops to count: at its own end, or where one of the same model that was entered later begins."""
    later = [other for other in sheets if other.model_id == sheet.model_id and other.version > sheet.version]
    begun = (max(other.valid_from, sheet.valid_from) for other in later if _overlap(sheet, other))
    return min((*begun, *([] if sheet.valid_to is None else [sheet.valid_to])), default=None)


def _overlap(one: Sheet, other: Sheet) -> bool:
    ends_later = one.valid_to is None or one.valid_to > other.valid_from
    return ends_later and (other.valid_to is None or other.valid_to > one.valid_from)


def check(price: NewPrice) -> None:
    """Raises PriceRefused for a price that cannot be entered."""
    check_reason(price.reason)
    if price.valid_to is not None and price.valid_to <= price.valid_from:
        raise PriceRefused("That price would end before it begins.", next_step="Choose a later end, or none.")
    for line in to_lines(price.prices) if price.prices else ():
        most = _MOST_USD * (_MOST_USD if line.bucket == "request" else 1)
        if not 0 <= line.usd_per_million <= most:
            raise PriceRefused(
                f"{line.usd_per_million:f} is no price for {line.bucket}.",
                next_step=f"Prices are dollars per million tokens, from 0 to {_MOST_USD:,}.",
            )


def check_reason(reason: str) -> str:
    """The reason without blanks around it. Raises PriceRefused when there is none, or too much of it."""
    plain = reason.strip()
    if not plain or len(plain) > _LONGEST_REASON:
        raise PriceRefused(
            "Every change of a price says why.", next_step=f"Write a reason of 1 to {_LONGEST_REASON} characters."
        )
    return plain


def summary(prices: Prices | None) -> dict[str, Any]:
    """The usual prices for the audit: bucket and USD per million as text. Empty for no price."""
    if prices is None:
        return {}
    usual = {line.bucket: line for line in to_lines(prices) if (line.service, line.above_tokens) == (STANDARD, 0)}
    return {bucket: f"{usual[bucket].usd_per_million.normalize():f}" for bucket in BUCKETS if bucket in usual}


def period(price: NewPrice) -> dict[str, Any]:
    """When a price holds, for the audit."""
    valid_to = None if price.valid_to is None else price.valid_to.isoformat()
    return {"valid_from": price.valid_from.isoformat(), "valid_to": valid_to}
