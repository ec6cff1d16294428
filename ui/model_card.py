"""What is known of one model, in words. Pure: every function gives lines of text, as they are, not as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from decimal import Decimal

from core.catalog.access import access_words
from core.catalog.health import Headroom, ModelStatus, Percentiles
from core.catalog.models import ModelSpec, Prices
from core.costs.model_figures import ModelFigures
from ui import formats
from ui.model_filter import capability_name, provider_name, shown_capabilities

_WORDS = ("free", "unpriced")
_SOURCES: Mapping[str, str] = {"registry": "the registry", "administrator": "an administrator"}
# Never colour alone: the shape says it too.
_SIGNS: Mapping[str, str] = {"healthy": "●", "slow": "◐", "down": "○", "unknown": "○", "starting": "◌"}
_STATES: Mapping[str, str] = {"unknown": "not tried lately", "no_key": "no key"}
_BUCKETS: Mapping[str, str] = {
    "input": "Input",
    "cached_input": "Cached input",
    "cache_write": "Cache write",
    "cache_write_1h": "Cache write for an hour",
    "output": "Output",
    "reasoning": "Reasoning",
}
_TOO_FEW = "too few calls"
_NOTHING: Mapping[str, str] = {
    "Cached input": "as input",
    "Cache write": "as input",
    "Cache write for an hour": "as cache write",
    "Reasoning": "as output",
    "Every call": "nothing",
    "Off-peak": "no other price",
    "Prices from": "nobody",
    "Context window": "unknown",
    "Longest answer": "unknown",
    "Can": "plain text",
    "Use cases": "none given",
    "Limits per minute": "none given",
    "Left this minute": "no limit given",
    "Falls back to": "no other model",
    "Open to": "nobody",
    "Retires": "no date announced",
    "Worked in 24 h": "not called",
    "First token, 24 h": _TOO_FEW,
    "Speed, 24 h": _TOO_FEW,
    "First token, 7 days": "not measured",
    "Speed, 7 days": "not measured",
}
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


def known_facts(
    model: ModelSpec, status: ModelStatus, figures: ModelFigures, labels: Mapping[str, str], *, zone: tzinfo
) -> dict[str, str | None]:
    """Everything there is to know of a model in words, by name; None where nothing is known or given.

    The names are the same for every model. `labels` are those of all models, by id; times are on the clock of `zone`.
    """
    measured_day, day = status.figures, status.figures.day
    return {
        "Id": model.id,
        "Provider": provider_name(model.provider.id),
        "Called as": model.upstream,
        "Status": state_words(model, status, zone),
        **_price_facts(model.prices),
        "Context window": _count_words(model.context_tokens),
        "Longest answer": _count_words(model.max_output_tokens),
        "Can": abilities(model) or None,
        "Use cases": ", ".join(model.use_cases) or None,
        "Limits per minute": _limit_words(model),
        "Left this minute": _headroom_words(status.headroom),
        "Falls back to": ", ".join(labels.get(name, name) for name in model.fallbacks) or None,
        "Open to": access_words(model.access),
        "Retires": _retirement(model, labels),
        "Worked in 24 h": f"{day.worked:,} of {day.judged:,} calls" if day.judged else None,
        "First token, 24 h": _percentiles(measured_day.first_token_day_ms, formats.duration),
        "Speed, 24 h": _percentiles(measured_day.tokens_per_second, _speed),
        "First token, 7 days": _median(figures, figures.first_token_ms, formats.duration),
        "Speed, 7 days": _median(figures, figures.tokens_per_second, _speed),
        "Last error": measured_day.last_error,
        "Cost me this month": month_line(figures),
        "Note": model.note,
    }


def facts(
    model: ModelSpec, status: ModelStatus, figures: ModelFigures, labels: Mapping[str, str], *, zone: tzinfo
) -> dict[str, str]:
    """`known_facts` with a word for everything that nobody knows, so that models can stand side by side."""
    known = known_facts(model, status, figures, labels, zone=zone)
    return {name: words or _NOTHING.get(name, "none") for name, words in known.items()}


def state_sign(model: ModelSpec, status: ModelStatus) -> str:
    """The status in a word or two, with a sign of its own: never colour alone."""
    if not model.enabled:
        return "✕ switched off"
    return f"{_SIGNS.get(status.state, '✕')} {_STATES.get(status.state, status.state)}"


def state_words(model: ModelSpec, status: ModelStatus, zone: tzinfo) -> str:
    """The status with its reason."""
    short, why = state_sign(model, status), reason(status, zone)
    sign, state = short.split(" ", 1)
    return f"{sign} {why}" if why.startswith(state) else f"{short} ({why})"


def abilities(model: ModelSpec) -> str:
    """What sets a model apart, in words."""
    return ", ".join(capability_name(capability) for capability in shown_capabilities(model))


def month_line(figures: ModelFigures) -> str:
    """What a model cost somebody this month: `$1.24 for 12 calls`; "at least" when some calls have no price."""
    if not figures.calls:
        return "not used"
    calls = "1 call" if figures.calls == 1 else f"{figures.calls:,} calls"
    if figures.unpriced == figures.calls:
        return f"unpriced, {calls}"
    return f"{'at least ' if figures.unpriced else ''}{formats.money(figures.spent_usd)} for {calls}"


def _price_facts(prices: Prices | None) -> dict[str, str | None]:
    if prices is None or prices.free:
        known: dict[str, str | None] = dict.fromkeys((*_BUCKETS.values(), "Every call", "Off-peak", "Prices from"))
        return known | dict.fromkeys(("Input", "Output"), formats.price(prices)) | {"Prices from": _source(prices)}
    return {
        **{name: _bucket_words(prices, bucket) or None for bucket, name in _BUCKETS.items()},
        "Every call": None if prices.request is None else formats.list_price(prices.request),
        "Off-peak": formats.off_peak_hours(prices.off_peak.hours) if prices.off_peak else None,
        "Prices from": _source(prices),
    }


def _source(prices: Prices | None) -> str | None:
    if prices is None:
        return None
    return _SOURCES.get(prices.source) or prices.source.replace("litellm", "LiteLLM")


def _bucket_words(prices: Prices, bucket: str) -> str:
    """One price in every tier and off-peak: `$2.50 per million, $5.00 above 200k`; empty where it is nowhere given."""
    first: Decimal | None = getattr(prices, bucket)
    words = [] if first is None else [f"{formats.list_price(first)} per million"]
    below = first
    for tier in prices.tiers:
        usd: Decimal | None = getattr(tier.prices, bucket)
        if usd is not None and usd != below:
            words.append(f"{formats.list_price(usd)} {formats.border(tier.above_tokens)}")
        below = usd
    cheap: Decimal | None = getattr(prices.off_peak.prices, bucket) if prices.off_peak else None
    if cheap is not None and cheap != first:
        words.append(f"{formats.list_price(cheap)} off-peak")
    return ", ".join(words)


def _count_words(count: int | None) -> str | None:
    return None if count is None else f"{count:,} tokens"


def _limit_words(model: ModelSpec) -> str | None:
    given = [(model.rpm_limit, "requests"), (model.tpm_limit, "tokens")]
    return ", ".join(f"{limit:,} {word}" for limit, word in given if limit is not None) or None


def _headroom_words(headroom: Headroom | None) -> str | None:
    if headroom is None:
        return None
    counts = (
        ("requests", headroom.requests_left, headroom.requests_limit),
        ("tokens", headroom.tokens_left, headroom.tokens_limit),
    )
    parts = [
        f"{left:,} {what}" if limit is None else f"{left:,} of {limit:,} {what}"
        for what, left, limit in counts
        if left is not None
    ]
    said = ", says the provider" if headroom.reported else ""
    return f"{', '.join(parts)}{said}" if parts else None


def _retirement(model: ModelSpec, labels: Mapping[str, str]) -> str | None:
    if model.retires_on is None:
        return None
    instead = f", then {labels.get(model.successor, model.successor)}" if model.successor else ""
    return f"{model.retires_on.day} {model.retires_on:%b %Y}{instead}"


def _percentiles(values: Percentiles, words: Callable[[float], str]) -> str | None:
    if values.p50 is None or values.p95 is None:
        return None
    return f"{words(values.p50)} (p95 {words(values.p95)})"


def _speed(tokens_per_second: float) -> str:
    return f"{tokens_per_second:.0f} tok/s"


def _median(figures: ModelFigures, value: float | None, words: Callable[[float], str]) -> str | None:
    if value is None:
        return None
    answers = "1 answer" if figures.answers == 1 else f"{figures.answers:,} answers"
    return f"{words(value)} (median of {answers})"
