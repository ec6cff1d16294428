"""Money as people read it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")


def money(amount_usd: Decimal) -> str:
    """`$1.24`; under a cent two significant digits: `$0.00094`; never in scientific notation."""
    if amount_usd == 0:
        return "$0"
    if abs(amount_usd) >= _CENT:
        return f"${amount_usd.quantize(_CENT, rounding=ROUND_HALF_UP):,}"
    exponent = amount_usd.adjusted() - 1
    rounded = amount_usd.quantize(Decimal(1).scaleb(exponent), rounding=ROUND_HALF_UP)
    return f"${rounded:f}".rstrip("0")
