"""What LiteLLM knows about models: prices, windows, capabilities. Read from its data file, without importing it.

The import takes seconds and 170 MB; the file takes a tenth of a second. Per-token floats in the file are read as text
into Decimal, so that a price per million is exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.catalog.models import Capability, Prices

PriceMap = Mapping[str, Mapping[str, Any]]

_FILE = "model_prices_and_context_window_backup.json"
_MILLION = 1_000_000
_FLAGS = {
    "supports_vision": Capability.VISION,
    "supports_function_calling": Capability.TOOLS,
    "supports_reasoning": Capability.REASONING,
    "supports_response_schema": Capability.JSON,
    "supports_pdf_input": Capability.PDF,
    "supports_audio_input": Capability.AUDIO,
    "supports_prompt_caching": Capability.PROMPT_CACHE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the map says about one model. None and empty where it says nothing."""

    prices: Prices | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    retires_on: date | None = None
    capabilities: frozenset[Capability] = frozenset({Capability.STREAMING, Capability.SYSTEM_PROMPT})


@cache
def installed_map() -> PriceMap:
    """The map that came with the installed LiteLLM, read once per process; empty where there is none."""
    spec = find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        return {}
    path = Path(next(iter(spec.submodule_search_locations))) / _FILE
    if not path.is_file():
        return {}
    found: PriceMap = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return found


@cache
def source() -> str:
    """The name under which prices of the map are recorded, with LiteLLM's version."""
    try:
        return f"litellm {version('litellm')}"
    except PackageNotFoundError:
        return "litellm"


def find_entry(price_map: PriceMap, *, kind: str, upstream: str) -> Mapping[str, Any]:
    """The map's own fields for `upstream` at the provider `kind`; empty where it has none.

    A bare name counts only when the map files it under that provider: the same name elsewhere may cost otherwise.
    """
    entry = price_map.get(f"{kind}/{upstream}")
    if entry is None:
        bare = price_map.get(upstream, {})
        entry = bare if str(bare.get("litellm_provider", "")).startswith(kind) else {}
    return entry


def find_facts(price_map: PriceMap, *, kind: str, upstream: str) -> Facts:
    """What the map says about `upstream` at the provider `kind`."""
    entry = find_entry(price_map, kind=kind, upstream=upstream)
    return Facts(
        prices=_prices(entry),
        context_tokens=_whole(entry.get("max_input_tokens")),
        max_output_tokens=_whole(entry.get("max_output_tokens")),
        retires_on=_day(entry.get("deprecation_date")),
        capabilities=_capabilities(entry),
    )


def per_million(per_token: Any) -> Decimal | None:
    """USD per million tokens from USD per token, exact. None for anything that is no price."""
    if isinstance(per_token, bool) or not isinstance(per_token, (int, Decimal)) or per_token < 0:
        return None
    return Decimal(f"{(per_token * Decimal(_MILLION)).normalize():f}")


def _prices(entry: Mapping[str, Any]) -> Prices | None:
    given = per_million(entry.get("input_cost_per_token"))
    answered = per_million(entry.get("output_cost_per_token"))
    if given is None or answered is None:
        return None
    return Prices(
        input=given,
        output=answered,
        cached_input=per_million(entry.get("cache_read_input_token_cost")),
        # Zero says that the provider has no such bucket (DeepSeek), not that input becomes free by being cached.
        cache_write=per_million(entry.get("cache_creation_input_token_cost")) or None,
        reasoning=per_million(entry.get("output_cost_per_reasoning_token")),
        source=source(),
    )


def _capabilities(entry: Mapping[str, Any]) -> frozenset[Capability]:
    found = {capability for flag, capability in _FLAGS.items() if entry.get(flag) is True}
    if entry.get("supports_native_streaming") is not False:
        found.add(Capability.STREAMING)
    if entry.get("supports_system_messages") is not False:
        found.add(Capability.SYSTEM_PROMPT)
    return frozenset(found)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _day(value: Any) -> date | None:
    # One entry of the map is a sample whose values are descriptions.
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
