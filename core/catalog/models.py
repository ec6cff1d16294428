"""The value types of the catalog: a model, its prices, its provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

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
    """USD per million tokens. `None` in a bucket means: priced like its parent bucket (input or output)."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    source: str = "registry"

    @property
    def free(self) -> bool:
        """True when no bucket costs anything."""
        return not any((self.input, self.output, self.cached_input, self.cache_write, self.reasoning))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """Where a provider is reached.

    `kind` is the wire format as LiteLLM names it ("openai", "anthropic", "gemini", ...), or "local" for the model
    that ships with the app, or "scripted" for the test double. `key_variable` names the environment variable that
    holds the key; None means that the endpoint takes no key. `discover`: the endpoint is asked which models it has;
    `discovered_prices` is what they cost.
    """

    id: str
    kind: str
    api_base: str | None = None
    key_variable: str | None = None
    discover: bool = False
    discovered_prices: Prices | None = None


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

    `access` holds "everyone", roles and usernames (core.catalog.access). A model that is not `enabled` keeps its name
    in old conversations and is neither offered nor called. `retires_on` is the day its provider announced; `successor`
    the id of the model to take instead. `discovered`: an endpoint reported it, the registry file does not name it.
    `cache` is None when every question goes to the provider.
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
    discovered: bool = False
    cache: CacheRule | None = None
