"""Prices as the registry file writes them: USD per million tokens, or the word `free`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.catalog.models import Prices, ServicePrices

# The levels of service that may have prices of their own.
SERVICES = ("batch", "flex", "priority")
_MOST_USD = Decimal(1_000_000)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("a number")  # noqa: TRY004 - pydantic collects ValueError
    return Decimal(value)


def _free(value: Any) -> Any:
    return {"input": 0, "output": 0} if value == "free" else value


Usd = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=_MOST_USD)]
Tokens = Annotated[int, Field(gt=0)]


class Entry(BaseModel):
    """What every part of the file is: known fields only, of the right type, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DetailsEntry(Entry):
    """The parts of input and output that may have prices of their own."""

    cached_input: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    image: Usd | None = None
    audio: Usd | None = None
    audio_output: Usd | None = None


class TierEntry(DetailsEntry):
    """The prices of a call whose input is longer than `above_tokens`; what is left out costs as much as below."""

    above_tokens: Tokens
    input: Usd | None = None
    output: Usd | None = None


class ServiceEntry(DetailsEntry):
    """The prices of calls at another level of service; what is left out of it is priced like its input or output."""

    input: Usd
    output: Usd


class PriceEntry(DetailsEntry):
    """USD per million tokens; `request` is USD per call."""

    input: Usd
    output: Usd
    request: Usd | None = None
    tiers: list[TierEntry] = Field(default_factory=list)
    batch: ServiceEntry | None = None
    flex: ServiceEntry | None = None
    priority: ServiceEntry | None = None


Price = Annotated[PriceEntry | None, BeforeValidator(_free)]


def misplaced_tier(entry: PriceEntry) -> int | None:
    """The place of the first tier that does not begin above the one before it; None when all do."""
    starts = [tier.above_tokens for tier in entry.tiers]
    return next((place for place, start in enumerate(starts) if place and start <= starts[place - 1]), None)


def to_prices(entry: PriceEntry) -> Prices:
    """The prices of an entry whose tiers are in order."""
    prices = Prices(**entry.model_dump(exclude={"tiers", *SERVICES}), services=tuple(_services(entry)))
    for tier in entry.tiers:
        prices = prices.with_tier(tier.above_tokens, **tier.model_dump(exclude={"above_tokens"}, exclude_none=True))
    return prices


def _services(entry: PriceEntry) -> Iterator[ServicePrices]:
    for service in SERVICES:
        named: ServiceEntry | None = getattr(entry, service)
        if named is not None:
            yield ServicePrices(service=service, prices=Prices(**named.model_dump(), request=entry.request))
