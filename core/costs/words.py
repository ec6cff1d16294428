"""Money as people read it. A sign stands before the dollar: `-$0.004`."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")
# One more than cents have, and what the ledger holds.
_FEWEST_PLACES, _MOST_PLACES = 3, 9


def money(amount_usd: Decimal) -> str:
    """`$1.24`; under a cent two significant digits: `$0.00094`; never in scientific notation."""
    if amount_usd == 0:
        return "$0"
    if abs(amount_usd) >= _CENT:
        return _signed(amount_usd, f"{abs(amount_usd).quantize(_CENT, rounding=ROUND_HALF_UP):,}")
    exponent = amount_usd.adjusted() - 1
    rounded = abs(amount_usd).quantize(Decimal(1).scaleb(exponent), rounding=ROUND_HALF_UP)
    return _signed(amount_usd, f"{rounded:f}".rstrip("0"))


def apart(one_usd: Decimal, other_usd: Decimal) -> tuple[str, str]:
    """Both as `money` says them; where it would say the same of two amounts, with as many digits as tell them apart."""
    words = money(one_usd), money(other_usd)
    for places in range(_FEWEST_PLACES, _MOST_PLACES + 1):
        if words[0] != words[1] or one_usd == other_usd:
            break
        step = Decimal(1).scaleb(-places)
        one, other = (usd.quantize(step, rounding=ROUND_HALF_UP) for usd in (one_usd, other_usd))
        words = exact(one), exact(other)
    return words


def exact(amount_usd: Decimal) -> str:
    """Every digit that an amount has, cents at least: `$12.345678901`, `$3.00`."""
    whole, _, places = f"{abs(amount_usd):,f}".partition(".")
    return _signed(amount_usd, f"{whole}.{places.rstrip('0').ljust(2, '0')}")


def _signed(amount_usd: Decimal, digits: str) -> str:
    return f"{'-' if amount_usd < 0 else ''}${digits}"
