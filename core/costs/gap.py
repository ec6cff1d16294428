"""Why a provider's bill and our own figure differ: one day, one model, the difference split by cause. Pure, exact.

The parts of a gap always add up to it. They are found in the order in which one hides the next: what we could not
price, then calls that only one side knows, then tokens of the calls both know, and what is left is the price.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import ROUND_HALF_EVEN, Decimal

from core.catalog.models import Prices

_ZERO = Decimal(0)
_MILLION = Decimal(1_000_000)
_RESOLUTION = Decimal("0.000000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens of several calls: the input is the total that cached and written ones are part of."""

    input: int
    cached_input: int
    cache_write: int
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What the ledger says of a model's calls on a day. `computed_usd` leaves out the unpriced ones.

    `reported_usd` is what the provider reported call by call, for `reported_calls` of them.
    """

    calls: int
    unpriced_calls: int
    unpriced_tokens: int
    tokens: Tokens
    computed_usd: Decimal
    reported_usd: Decimal
    reported_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What the provider's files say of the same. None where no file does."""

    amount_usd: Decimal | None
    calls: int | None
    tokens: Tokens | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The bill less our figure, in dollars, by cause; each may be negative.

    `missing_here` is for calls of models that are used here, `not_for_calls` for what is no such model. The differences
    in tokens are by bucket, each at its own price; `fresh_input` is neither cached nor written. `unexplained`: the file
    has no tokens.
    """

    missing_here: Decimal = _ZERO
    not_for_calls: Decimal = _ZERO
    missing_there: Decimal = _ZERO
    fresh_input: Decimal = _ZERO
    cached_input: Decimal = _ZERO
    cache_write: Decimal = _ZERO
    output: Decimal = _ZERO
    price: Decimal = _ZERO
    unpriced: Decimal = _ZERO
    unexplained: Decimal = _ZERO

    @property
    def total(self) -> Decimal:
        """The whole gap."""
        return sum((getattr(self, field.name) for field in fields(self)), _ZERO)

    def __add__(self, other: Gap) -> Gap:
        """The gap of both, cause by cause."""
        return Gap(**{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)})


def explain(ours: Ours | None, billed: Billed | None, prices: Prices | None, *, used_here: bool = True) -> Gap | None:
    """Split the gap. None when there is none to split: a file that gives tokens only says nothing of money.

    `billed` None means that the files cover the day and do not know the model. `prices` are ours for it; differences in
    tokens are priced below the first tier, because the lengths of single calls are not in any file. `used_here`: the
    model can be called here, or was.
    """
    if billed is None:
        return None if ours is None else Gap(missing_there=-ours.computed_usd)
    if billed.amount_usd is None:
        return None
    if ours is None:
        return Gap(missing_here=billed.amount_usd) if used_here else Gap(not_for_calls=billed.amount_usd)
    unpriced = _unpriced(ours, billed.amount_usd)
    amount = billed.amount_usd - unpriced
    here, there = _missing(ours, amount, billed.calls)
    rest = amount - ours.computed_usd - here - there
    tokens = _tokens(ours, billed, prices)
    if tokens is None:
        return Gap(missing_here=here, missing_there=there, unpriced=unpriced, unexplained=rest)
    return replace(tokens, missing_here=here, missing_there=there, unpriced=unpriced, price=rest - tokens.total)


def _unpriced(ours: Ours, amount: Decimal) -> Decimal:
    """The part of the bill that our unpriced calls stand for, by their share of the tokens."""
    total = ours.tokens.input + ours.tokens.output
    return _share(amount, ours.unpriced_tokens, total) if total else _ZERO


def _missing(ours: Ours, amount: Decimal, billed_calls: int | None) -> tuple[Decimal, Decimal]:
    """What calls cost that only the provider knows, and (negative) that only we know, at each side's average."""
    if billed_calls is None or billed_calls == ours.calls:
        return _ZERO, _ZERO
    if billed_calls > ours.calls:
        return _share(amount, billed_calls - ours.calls, billed_calls), _ZERO
    return _ZERO, -_share(ours.computed_usd, ours.calls - billed_calls, ours.calls)


def _tokens(ours: Ours, billed: Billed, prices: Prices | None) -> Gap | None:
    """What the difference in tokens costs at our prices, for the calls both sides know; None: it cannot be told."""
    if billed.tokens is None:
        return None
    theirs, mine = billed.tokens, ours.tokens
    if theirs == mine and not ours.unpriced_tokens:
        return Gap()
    if prices is None:
        return None
    known = ours.calls if billed.calls is None else billed.calls
    both = min(ours.calls, known)
    total = mine.input + mine.output
    there, here = _by_bucket(theirs, prices), _by_bucket(mine, prices)
    parts = {}
    for name in there:
        billed_usd = _share(there[name], both, known) if known else _ZERO
        more_usd = billed_usd - _share(here[name], both, ours.calls)
        parts[name] = more_usd - (_share(more_usd, ours.unpriced_tokens, total) if total else _ZERO)
    return Gap(**parts)


def _by_bucket(tokens: Tokens, prices: Prices) -> dict[str, Decimal]:
    """What the tokens cost, by the bucket as `Gap` calls it."""
    rates = prices.at(0)
    fresh = max(0, tokens.input - tokens.cached_input - tokens.cache_write)
    cached = rates.input if rates.cached_input is None else rates.cached_input
    written = rates.input if rates.cache_write is None else rates.cache_write
    counts = {
        "fresh_input": (fresh, rates.input),
        "cached_input": (tokens.cached_input, cached),
        "cache_write": (tokens.cache_write, written),
        "output": (tokens.output, rates.output),
    }
    return {name: _rounded(count * rate / _MILLION) for name, (count, rate) in counts.items()}


def _share(amount: Decimal, part: int, whole: int) -> Decimal:
    return _rounded(amount * part / whole)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_RESOLUTION, rounding=ROUND_HALF_EVEN)
