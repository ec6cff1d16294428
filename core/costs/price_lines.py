"""Prices as the lines of a list, one figure each, and back: how the price book keeps, compares and shows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from core.catalog.models import BUCKETS, Hours, OffPeak, Prices, PriceTier, ServicePrices

STANDARD, OFF_PEAK = "standard", "off_peak"

_MILLION = Decimal(1_000_000)
# What the book keeps of a price. LiteLLM's map has floats such as 5.0000000000000004e-08: noise ends here.
_RESOLUTION = Decimal("0.000000001")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """What one bucket costs at one level of service, for calls with an input longer than `above_tokens`.

    USD per million tokens, or per million calls for the bucket "request".
    """

    service: str
    above_tokens: int
    bucket: str
    usd_per_million: Decimal


def to_lines(prices: Prices) -> tuple[Line, ...]:
    """Every figure of the prices, rounded half-even to 9 decimals, in a fixed order."""
    lines = [*_tiered(STANDARD, prices)]
    for other in prices.services:
        lines += _tiered(other.service, other.prices)
    if prices.off_peak is not None:
        lines += _flat(OFF_PEAK, 0, prices.off_peak.prices)
    return tuple(sorted(lines))


def from_lines(lines: Iterable[Line], *, hours: Sequence[Hours] = (), source: str, version: str | None) -> Prices:
    """The prices that `to_lines` took apart. Raises KeyError when a list has no price of input or output."""
    lists: dict[str, dict[int, dict[str, Decimal]]] = {}
    for line in lines:
        lists.setdefault(line.service, {}).setdefault(line.above_tokens, {})[line.bucket] = line.usd_per_million
    cheap = lists.pop(OFF_PEAK, None)
    named = {service: _build(steps, source=source, version=version) for service, steps in sorted(lists.items())}
    usual = named.pop(STANDARD)
    return replace(
        usual,
        services=tuple(ServicePrices(service=service, prices=prices) for service, prices in named.items()),
        off_peak=None if cheap is None else _off_peak(cheap, hours, source=source, version=version),
    )


def hours_to_json(prices: Prices | None) -> str | None:
    """When off-peak is, as text; None where there is no such time."""
    if prices is None or prices.off_peak is None:
        return None
    return json.dumps([[part.since, part.until, sorted(part.weekdays), part.zone] for part in prices.off_peak.hours])


def hours_from_json(text: str | None) -> tuple[Hours, ...]:
    """What `hours_to_json` wrote."""
    parts: list[tuple[int, int, list[int], str]] = json.loads(text) if text else []
    return tuple(Hours(since=a, until=b, weekdays=frozenset(days), zone=zone) for a, b, days, zone in parts)


def digest(prices: Prices) -> str:
    """Equal for prices that cost the same, wherever they are from."""
    amounts = [*map(repr, to_lines(prices)), hours_to_json(prices) or ""]
    return hashlib.blake2b("\n".join(amounts).encode(), digest_size=12).hexdigest()


def same_amounts(one: Prices, other: Prices) -> bool:
    """Whether both cost the same, wherever they are from."""
    return to_lines(one) == to_lines(other) and hours_to_json(one) == hours_to_json(other)


def _tiered(service: str, prices: Prices) -> Iterator[Line]:
    yield from _flat(service, 0, prices)
    for tier in prices.tiers:
        yield from _flat(service, tier.above_tokens, tier.prices)


def _flat(service: str, above_tokens: int, prices: Prices) -> Iterator[Line]:
    for bucket in BUCKETS:
        price: Decimal | None = getattr(prices, bucket)
        if price is not None:
            a_million = price * _MILLION if bucket == "request" else price
            yield Line(service, above_tokens, bucket, a_million.quantize(_RESOLUTION, rounding=ROUND_HALF_EVEN))


def _build(steps: dict[int, dict[str, Decimal]], *, source: str, version: str | None) -> Prices:
    flat = {above: Prices(**_fields(step), source=source, version=version) for above, step in sorted(steps.items())}
    base = flat.pop(0)
    return replace(base, tiers=tuple(PriceTier(above_tokens=above, prices=prices) for above, prices in flat.items()))


def _off_peak(
    steps: dict[int, dict[str, Decimal]], hours: Sequence[Hours], *, source: str, version: str | None
) -> OffPeak:
    named = None if version is None else f"{version} off-peak"
    return OffPeak(hours=tuple(hours), prices=_build(steps, source=f"{source} off-peak", version=named))


def _fields(step: dict[str, Decimal]) -> dict[str, Any]:
    fields: dict[str, Any] = {bucket: _plain(usd) for bucket, usd in step.items()}
    if "request" in fields:
        fields["request"] = _plain(fields["request"] / _MILLION)
    return {"input": step["input"], "output": step["output"], **fields}


def _plain(usd: Decimal) -> Decimal:
    """Without the zeros at the end that a column of nine decimals has."""
    return Decimal(f"{usd.normalize():f}")
