"""What is known of one model, in words. Pure: every function gives lines of text, as they are, not as Markdown."""

from __future__ import annotations

from datetime import UTC, tzinfo
from decimal import Decimal

from core.catalog.health import Headroom, ModelStatus, Percentiles
from core.catalog.models import ModelSpec, Prices
from core.costs.model_figures import ModelFigures
from ui import formats
from ui.model_filter import capability_name, provider_name, shown_capabilities

_WORDS = ("free", "unpriced")
_BUCKETS = {
    "input": "Input",
    "cached_input": "Cached input",
    "cache_write": "Cache write",
    "cache_write_1h": "Cache write for an hour",
    "output": "Output",
    "reasoning": "Reasoning",
}


def measured(status: ModelStatus) -> list[str]:
    """How fast the model was lately, as far as it was measured often enough."""
    parts = []
    if status.first_token_ms is not None:
        parts.append(f"{formats.duration(status.first_token_ms)} to first token")
    if status.figures.tokens_per_second.p50 is not None:
        parts.append(f"{status.figures.tokens_per_second.p50:.0f} tok/s")
    return parts


def reason(status: ModelStatus, zone: tzinfo) -> str:
    """Why the model is in its state, with times on the clock of `zone`."""
    if status.cooling is None:
        return status.reason
    until = status.cooling.until.replace(tzinfo=UTC).astimezone(zone)
    return f"cooling until {until:%H:%M} ({status.cooling.because})"


def price_line(model: ModelSpec) -> str:
    """Prices and window: `$2.50 in, $15.00 out per million ($5.00 in, $22.50 out above 200k) · 1M context`."""
    price, tiers = formats.price(model.prices), "; ".join(formats.tier_prices(model.prices))
    words = f"{price if price in _WORDS else f'{price} per million'}{f' ({tiers})' if tiers else ''}"
    return f"{words} · {formats.window(model.context_tokens)}"


def details(model: ModelSpec, status: ModelStatus, figures: ModelFigures) -> list[tuple[str, str]]:
    """Everything known about a model, as (what, value)."""
    return [
        ("Id", model.id),
        ("Provider", provider_name(model.provider.id)),
        *_price_rows(model.prices),
        ("Context window", "unknown" if model.context_tokens is None else f"{model.context_tokens:,} tokens"),
        ("Longest answer", "unknown" if model.max_output_tokens is None else f"{model.max_output_tokens:,} tokens"),
        ("Takes and does", ", ".join(capability_name(item) for item in shown_capabilities(model)) or "text"),
        *([("Good for", ", ".join(model.use_cases) + " (by the editors)")] if model.use_cases else []),
        *_status_rows(status),
        *_headroom_rows(status.headroom),
        *([("Retires on", model.retires_on.isoformat())] if model.retires_on else []),
        ("Yours this month", month_line(figures)),
    ]


def month_line(figures: ModelFigures) -> str:
    """What a model cost somebody this month: `$1.24 for 12 calls`; "at least" when some calls have no price."""
    if not figures.calls:
        return "not used"
    calls = "1 call" if figures.calls == 1 else f"{figures.calls:,} calls"
    if figures.unpriced == figures.calls:
        return f"unpriced, {calls}"
    return f"{'at least ' if figures.unpriced else ''}{formats.money(figures.spent_usd)} for {calls}"


def _price_rows(prices: Prices | None) -> list[tuple[str, str]]:
    if prices is None or prices.free:
        return [("Price", formats.price(prices))]
    rows = [(name, _bucket_words(prices, bucket)) for bucket, name in _BUCKETS.items()]
    given = [(name, words) for name, words in rows if words]
    return given if prices.request is None else [*given, ("Every call", formats.list_price(prices.request))]


def _bucket_words(prices: Prices, bucket: str) -> str:
    """One price in every tier: `$2.50 per million, $5.00 above 200k`; empty where it is nowhere given."""
    first: Decimal | None = getattr(prices, bucket)
    words = [] if first is None else [f"{formats.list_price(first)} per million"]
    below = first
    for tier in prices.tiers:
        usd: Decimal | None = getattr(tier.prices, bucket)
        if usd is not None and usd != below:
            words.append(f"{formats.list_price(usd)} {formats.border(tier.above_tokens)}")
        below = usd
    return ", ".join(words)


def _status_rows(status: ModelStatus) -> list[tuple[str, str]]:
    figures, day = status.figures, status.figures.day
    rows = [("First token", _percentiles(figures.first_token_day_ms)), ("Speed", _speed(figures.tokens_per_second))]
    if day.judged:
        rows.append(("Worked in 24 h", f"{day.worked:,} of {day.judged:,} calls"))
    if figures.last_error:
        rows.append(("Last error", figures.last_error))
    return rows


def _percentiles(values: Percentiles) -> str:
    if values.p50 is None or values.p95 is None:
        return "too few calls in 24 h"
    return f"{formats.duration(values.p50)} (p95 {formats.duration(values.p95)})"


def _speed(values: Percentiles) -> str:
    return "too few calls in 24 h" if values.p50 is None else f"{values.p50:.0f} tokens per second"


def _headroom_rows(headroom: Headroom | None) -> list[tuple[str, str]]:
    if headroom is None:
        return []
    counts = (
        ("requests", headroom.requests_left, headroom.requests_limit),
        ("tokens", headroom.tokens_left, headroom.tokens_limit),
    )
    left = [f"{left:,} of {limit:,} {what}" for what, left, limit in counts if left is not None and limit is not None]
    return [("Left this minute", ", ".join(left))]
