"""What LiteLLM knows about models: prices, windows, capabilities. Read from its data file, without importing it.

The import takes seconds and 170 MB; the file takes a tenth of a second. Per-token floats in the file are read as text
into Decimal, so that a price per million is exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from core.catalog.models import Capability, Hours, OffPeak, Prices, ServicePrices

PriceMap = Mapping[str, Mapping[str, Any]]

_FILE = "model_prices_and_context_window_backup.json"
_MILLION = 1_000_000
_BUCKETS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
    "image": "input_cost_per_image_token",
    "audio": "input_cost_per_audio_token",
    "audio_output": "output_cost_per_audio_token",
}
_BUCKET_OF = {field: bucket for bucket, field in _BUCKETS.items()}
_TIERED = re.compile(rf"({'|'.join(_BUCKETS.values())})_above_(\d+)(k?)_tokens")
# The levels of service that a call can ask for or be given, and how the map ends the names of their prices.
_SERVICES = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
# A call of exactly 200,000 tokens costs the higher price here and the lower one everywhere else.
_TIER_FROM = frozenset({"xai"})
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
    steps = _table(entry) or _steps(entry)
    base = steps[0]
    if base.get("input") is None or base.get("output") is None:
        return None
    prices = _with_tiers(base, steps, request=entry.get("input_cost_per_request"))
    return replace(prices, off_peak=_off_peak(entry, prices), services=tuple(_services(entry)))


def _with_tiers(base: dict[str, Any], steps: dict[int, dict[str, Any]], *, request: Any) -> Prices:
    a_million = per_million(request)
    prices = Prices(**base, request=None if a_million is None else a_million / _MILLION, source=source())
    for above_tokens in sorted(steps.keys() - {0}):
        prices = prices.with_tier(above_tokens, **steps[above_tokens])
    return prices


def _services(entry: Mapping[str, Any]) -> Iterator[ServicePrices]:
    """The levels of service whose prices are known in and out; what one does not price apart costs like its input."""
    for service, suffix in _SERVICES.items():
        named = {field.removesuffix(suffix): price for field, price in entry.items() if field.endswith(suffix)}
        steps = _steps({"litellm_provider": entry.get("litellm_provider"), **named})
        if steps[0]["input"] is not None and steps[0]["output"] is not None:
            prices = _with_tiers(steps[0], steps, request=entry.get("input_cost_per_request"))
            yield ServicePrices(service=service, prices=prices)


def _steps(entry: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The buckets by the input tokens above which they hold, from 0; higher steps have only what differs."""
    steps = {0: _buckets(entry)}
    for field in entry:
        found, price = _TIERED.fullmatch(field), per_million(entry[field])
        if found is None or price is None:
            continue
        bucket = _BUCKET_OF[found[1]]
        above_tokens = int(found[2]) * (1000 if found[3] else 1) - (entry.get("litellm_provider") in _TIER_FROM)
        steps.setdefault(above_tokens, {})[bucket] = _bucket(bucket, price)
    return steps


def _table(entry: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The same from a `tiered_pricing` table, whose rows are whole; empty where there is none."""
    rows = entry.get("tiered_pricing") or []
    found = {int(row["range"][0]): _buckets(row) for row in rows if "range" in row}
    if 0 not in found:
        return {}
    output = per_million(entry.get(_BUCKETS["output"]))
    return {
        above: {**row, "output": output if row["output"] is None else row["output"]} for above, row in found.items()
    }


def _off_peak(entry: Mapping[str, Any], usual: Prices) -> OffPeak | None:
    """Prices that hold at some hours, whatever the length of the input; what is not given costs as usual."""
    given = entry.get("off_peak_pricing")
    if not isinstance(given, Mapping):
        return None
    rules = [{"hours_utc": given.get("hours_utc")}, *given.get("windows", ())]
    hours = [found for rule in rules for found in _hours(rule, zone=given.get("weekday_timezone", "UTC"))]
    changed = {bucket: price for bucket, price in _buckets(given).items() if price is not None}
    prices = replace(usual, tiers=(), source=f"{usual.source} off-peak", **changed)
    return OffPeak(hours=tuple(hours), prices=prices) if hours else None


def _hours(rule: Mapping[str, Any], *, zone: str) -> Iterator[Hours]:
    # A rule that is not understood does not hold: better the usual price than one that is too low.
    weekdays = frozenset(rule.get("weekdays") or range(1, 8))
    texts = rule.get("hours_utc") or ()
    for text in [texts] if isinstance(texts, str) else texts:
        found = _HOURS.fullmatch(text)
        if found and _is_zone(zone) and weekdays <= set(range(1, 8)):
            since_h, since_m, until_h, until_m = map(int, found.groups())
            yield Hours(since=since_h * 60 + since_m, until=until_h * 60 + until_m, weekdays=weekdays, zone=zone)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _buckets(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {bucket: _bucket(bucket, per_million(entry.get(name))) for bucket, name in _BUCKETS.items()}


def _bucket(bucket: str, price: Decimal | None) -> Decimal | None:
    # Zero says that the provider has no such bucket (DeepSeek), not that input becomes free by being cached.
    return price or None if bucket.startswith("cache_write") else price


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
