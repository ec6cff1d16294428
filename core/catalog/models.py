"""The value types of the catalog: a model, its prices, its provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

# A word of `access` that starts so is the name of a group.
GROUP = "group:"

GatewayChoice = Literal["direct", "litellm"]
ParameterValue = str | int | float | bool | tuple[str, ...]


class Capability(StrEnum):
    """What a model can take or do beyond plain text."""

    VISION = "vision"
    TOOLS = "tools"
    REASONING = "reasoning"
    JSON = "json"
    PDF = "pdf"
    AUDIO = "audio"
    STREAMING = "streaming"
    SYSTEM_PROMPT = "system_prompt"
    PROMPT_CACHE = "prompt_cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """USD per million tokens; `request` is USD per call.

    `None` in a bucket means: priced like its parent bucket, which is input (also for images and audio that go in) or
    output, and `cache_write` for `cache_write_1h` (input kept for an hour instead of minutes). `tiers` are in rising
    order, `services` are the levels of service that cost otherwise. `source` says where the figures are from, `version`
    which entry of the price book they are; None outside the book.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    image: Decimal | None = None
    audio: Decimal | None = None
    audio_output: Decimal | None = None
    request: Decimal | None = None
    source: str = "registry"
    version: str | None = None
    tiers: tuple[PriceTier, ...] = ()
    services: tuple[ServicePrices, ...] = ()
    off_peak: OffPeak | None = None

    @property
    def free(self) -> bool:
        """True when no bucket of any tier costs anything."""
        return not any(getattr(self, bucket) for bucket in BUCKETS) and all(tier.prices.free for tier in self.tiers)

    @property
    def name(self) -> str:
        """What the ledger calls these prices: the version in the price book, else where they are from."""
        return self.version or self.source

    def on(self, moment: datetime) -> Prices:
        """The prices in force at `moment` (naive UTC): those of the off-peak hours during them, else these."""
        off_peak = self.off_peak
        return off_peak.prices if off_peak and any(hours.hold(moment) for hours in off_peak.hours) else self

    def served(self, service: str | None) -> Prices | None:
        """The prices of a level of service, None being the usual one; None when nobody knows what it costs."""
        if service is None:
            return self
        return next((other.prices for other in self.services if other.service == service), None)

    def at(self, input_tokens: int) -> Prices:
        """What a call with so many input tokens costs per million; the cached ones count."""
        reached = [tier.prices for tier in self.tiers if input_tokens > tier.above_tokens]
        return reached[-1] if reached else self

    def with_tier(self, above_tokens: int, **changed: Any) -> Prices:
        """These prices with a tier on top; a bucket that is not `changed` costs what it costs one tier below.

        Raises ValueError when the tier does not begin above the one below.
        """
        below = self.tiers[-1] if self.tiers else PriceTier(above_tokens=0, prices=self)
        if above_tokens <= below.above_tokens:
            raise ValueError(f"a tier above {below.above_tokens} tokens, not {above_tokens}")
        tier = PriceTier(above_tokens=above_tokens, prices=replace(below.prices, **_BARE, **changed))
        return replace(self, tiers=(*self.tiers, tier))


# Every bucket of Prices, in the order of a price list.
BUCKETS = (
    "input",
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "image",
    "audio",
    "output",
    "reasoning",
    "audio_output",
    "request",
)
_BARE: Mapping[str, Any] = {"tiers": (), "services": (), "off_peak": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """What every token of a call costs whose input is longer than `above_tokens`. `prices` has no tiers of its own."""

    above_tokens: int
    prices: Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrices:
    """What calls of another level of service cost ("batch", "flex", "priority"), with tiers of its own."""

    service: str
    prices: Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A part of some days: from minute `since` of the UTC day until before `until`, over midnight if that is not later.

    `weekdays` are ISO numbers (Monday is 1) on the calendar of `zone`.
    """

    since: int
    until: int
    weekdays: frozenset[int] = frozenset(range(1, 8))
    zone: str = "UTC"

    def hold(self, moment: datetime) -> bool:
        """Whether `moment` (naive UTC) is within."""
        minute = moment.hour * 60 + moment.minute
        if self.since < self.until:
            within = self.since <= minute < self.until
        else:
            within = minute >= self.since or minute < self.until
        return within and moment.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).isoweekday() in self.weekdays


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPeak:
    """What calls cost that end within any of `hours`. `prices` has neither tiers nor off-peak hours of its own."""

    hours: tuple[Hours, ...]
    prices: Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """Where a provider is reached.

    `kind` is the wire format as LiteLLM names it ("openai", "anthropic", "gemini", ...), or "local" for the model
    that ships with the app, or "scripted" for the test double. `key_variable` names the environment variable that
    holds the key; None means that the endpoint takes no key. `discover`: the endpoint is asked which models it has;
    `discovered_prices` is what they cost. `gateway` says which way its models are called; None: as its kind wants it.
    """

    id: str
    kind: str
    api_base: str | None = None
    key_variable: str | None = None
    discover: bool = False
    discovered_prices: Prices | None = None
    gateway: GatewayChoice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRule:
    """Whole answers of a model are kept for so long and given again to whoever asks exactly the same.

    `shared`: to everybody; else only to the person who got them.
    """

    minutes: int
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model as people and the API name it.

    `upstream` is the name sent to the provider. `prices` is None when nobody knows the price: then costs are
    "unpriced", never zero and never a guess. `parameters` are this entry's own defaults; `system_prompt` comes before
    the conversation. `rpm_limit` and `tpm_limit` are what the provider allows per minute, requests and tokens.

    `access` holds "everyone", roles, usernames and groups (core.catalog.access). A model that is not `enabled` keeps
    its name in old conversations and is neither offered nor called. `retires_on` is the day its provider announced;
    `successor` the id of the model to take instead. `cache` is None when every question goes to the provider.
    """

    id: str
    label: str
    provider: ProviderSpec
    upstream: str
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    prices: Prices | None = None
    capabilities: frozenset[Capability] = frozenset({Capability.STREAMING, Capability.SYSTEM_PROMPT})
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    system_prompt: str | None = None
    use_cases: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    access: tuple[str, ...] = ("everyone",)
    note: str = ""
    rpm_limit: int | None = None
    tpm_limit: int | None = None
    enabled: bool = True
    retires_on: date | None = None
    successor: str | None = None
    cache: CacheRule | None = None
