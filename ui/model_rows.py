"""The models side by side as rows of figures and as facts in words. Pure: no page, no store."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.catalog.health import ModelStatus
from core.catalog.models import ModelSpec, Prices
from core.costs.model_figures import ModelFigures
from ui import formats
from ui.model_filter import capability_name, provider_name, search_text, shown_capabilities

# Never colour alone: the shape says it too.
SIGNS: Mapping[str, str] = {"healthy": "●", "slow": "◐", "down": "○", "unknown": "○", "starting": "◌"}
_WORDS = {"unknown": "not tried lately", "no_key": "no key", "slow": "slow", "down": "down", "starting": "starting"}
# A table shows no word for a figure that is missing. As a figure it sorts behind every known price.
UNPRICED = float("inf")
_BUCKETS = {
    "input": "Input",
    "cached_input": "Cached input",
    "cache_write": "Cache write",
    "cache_write_1h": "Cache write for an hour",
    "output": "Output",
    "reasoning": "Reasoning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Everything about one model that the page shows."""

    model: ModelSpec
    status: ModelStatus
    figures: ModelFigures = field(default_factory=ModelFigures)

    @property
    def state(self) -> str:
        """The status in a word or two, with its sign."""
        if not self.model.enabled:
            return "✕ switched off"
        return f"{SIGNS.get(self.status.state, '✕')} {_WORDS.get(self.status.state, self.status.state)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What somebody looks for. Words must all be found; of a group of choices one is enough, except capabilities."""

    text: str = ""
    use_cases: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    providers: Sequence[str] = ()
    free: bool = False

    def keeps(self, model: ModelSpec) -> bool:
        """Whether this model is among what is looked for."""
        found = search_text(model).casefold()
        return (
            all(word in found for word in self.text.casefold().split())
            and (not self.use_cases or not set(self.use_cases).isdisjoint(model.use_cases))
            and set(self.capabilities) <= {str(capability) for capability in model.capabilities}
            and (not self.providers or model.provider.id in self.providers)
            and (not self.free or (model.prices is not None and model.prices.free))
        )


def table(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The columns of the table. Figures stay numbers, so that they sort; None where nobody knows."""
    return {
        "Model": [row.model.label for row in rows],
        "Provider": [provider_name(row.model.provider.id) for row in rows],
        "Status": [row.state for row in rows],
        "In": [_usd(row.model.prices, "input", unknown=UNPRICED) for row in rows],
        "Cached": [_usd(row.model.prices, "cached_input") for row in rows],
        "Out": [_usd(row.model.prices, "output", unknown=UNPRICED) for row in rows],
        "Context": [row.model.context_tokens for row in rows],
        "Output limit": [row.model.max_output_tokens for row in rows],
        "My month": [_spent(row.figures) for row in rows],
        "First token": [row.figures.first_token_ms for row in rows],
        "Tokens/s": [row.figures.tokens_per_second for row in rows],
        "Can": [_abilities(row.model) for row in rows],
        "Use cases": [", ".join(row.model.use_cases) for row in rows],
        "Retires": [row.model.retires_on for row in rows],
    }


def facts(row: Row, labels: Mapping[str, str]) -> dict[str, str]:
    """Everything known of one model in words, by name. `labels` are those of all models, by id."""
    model, figures = row.model, row.figures
    return {
        "Id": model.id,
        "Provider": provider_name(model.provider.id),
        "Called as": model.upstream,
        "Status": _status_words(row),
        "Price per million": _price_words(model.prices),
        "Context": _count_words(model.context_tokens),
        "Output limit": _count_words(model.max_output_tokens),
        "Can": _abilities(model) or "plain text",
        "Use cases": ", ".join(model.use_cases) or "none given",
        "Limits per minute": _limit_words(model),
        "Falls back to": ", ".join(labels.get(name, name) for name in model.fallbacks) or "no other model",
        "Open to": ", ".join(model.access),
        "Retires": _retirement(model, labels),
        "First token, 7 days": _measured(figures, figures.first_token_ms, formats.duration),
        "Speed, 7 days": _measured(figures, figures.tokens_per_second, lambda speed: f"{speed:.0f} tok/s"),
        "Cost me this month": spent_words(figures),
        "Note": model.note or "none",
    }


def spent_words(figures: ModelFigures) -> str:
    """What it cost one person this month: a figure, "at least" a figure, or the word for none."""
    if not figures.calls:
        return "not used"
    if figures.unpriced == figures.calls:
        return "unpriced"
    if figures.unpriced:
        return f"at least {formats.money(figures.spent_usd)}"
    return formats.money(figures.spent_usd)


def to_csv(rows: Sequence[Row]) -> bytes:
    """The table with exact prices and ids, for a spreadsheet. UTF-8 with the mark that Excel looks for."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV)
    for row in rows:
        writer.writerow([_cell(value) for value in _csv_values(row)])
    return text.getvalue().encode("utf-8-sig")


_CSV = (
    "id",
    "label",
    "provider",
    "upstream",
    "status",
    "input_usd_per_million",
    "cached_input_usd_per_million",
    "output_usd_per_million",
    "price_tiers",
    "context_tokens",
    "max_output_tokens",
    "capabilities",
    "use_cases",
    "retires_on",
    "my_month_usd",
    "unpriced_calls",
    "first_token_ms",
    "tokens_per_second",
    "answers_7_days",
)


def _csv_values(row: Row) -> list[Any]:
    model, figures, prices = row.model, row.figures, row.model.prices
    status = row.status.state if model.enabled else "switched_off"
    buckets = [None] * 3 if prices is None else [prices.input, prices.cached_input, prices.output]
    return [
        *(model.id, model.label, model.provider.id, model.upstream, status),
        *(None if price is None else f"{price:f}" for price in buckets),
        _tiers_cell(prices),
        *(model.context_tokens, model.max_output_tokens),
        *(" ".join(shown_capabilities(model)), " ".join(model.use_cases), model.retires_on),
        *(f"{figures.spent_usd:f}", figures.unpriced, figures.first_token_ms, figures.tokens_per_second),
        figures.answers,
    ]


def _tiers_cell(prices: Prices | None) -> str | None:
    """`above 200000: 5 in, 0.25 cached in, 22.5 out`: exact, per million."""
    cells = []
    for tier in () if prices is None else prices.tiers:
        named = {"in": tier.prices.input, "cached in": tier.prices.cached_input, "out": tier.prices.output}
        figures = ", ".join(f"{usd:f} {name}" for name, usd in named.items() if usd is not None)
        cells.append(f"above {tier.above_tokens}: {figures}")
    return "; ".join(cells) or None


def _cell(value: Any) -> Any:
    # A name from a foreign server must not become a formula in somebody's spreadsheet.
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t"} else value


def _status_words(row: Row) -> str:
    sign, state = row.state.split(" ", 1)
    reason = row.status.reason
    return f"{sign} {reason}" if reason.startswith(state) else f"{row.state} ({reason})"


def _usd(prices: Prices | None, bucket: str, *, unknown: float | None = None) -> float | None:
    value: Decimal | None = None if prices is None else getattr(prices, bucket)
    return unknown if value is None else float(value)


def _spent(figures: ModelFigures) -> float | None:
    return float(figures.spent_usd) if figures.calls > figures.unpriced else None


def _abilities(model: ModelSpec) -> str:
    return ", ".join(capability_name(capability) for capability in shown_capabilities(model))


def _price_words(prices: Prices | None) -> str:
    if prices is None or prices.free:
        return formats.price(prices)
    tiers = [f"{formats.border(tier.above_tokens)}: {_bucket_words(tier.prices)}" for tier in prices.tiers]
    source = "the registry" if prices.source == "registry" else prices.source.replace("litellm", "LiteLLM")
    return f"{'; '.join((_bucket_words(prices), *tiers))} (from {source})"


def _bucket_words(prices: Prices) -> str:
    stated = [(word.lower(), getattr(prices, bucket)) for bucket, word in _BUCKETS.items()]
    if prices.request is not None:
        stated.append(("every call", prices.request))
    return ", ".join(f"{word} {price_words(float(value))}" for word, value in stated if value is not None)


def price_words(usd: float) -> str:
    """A list price: `$0.25`, `$0.075`, under a cent two significant digits, "free" for nothing."""
    if not usd:
        return "free"
    if usd < 0.01:  # noqa: PLR2004 - a cent
        return formats.money(Decimal(repr(float(usd))))
    # Lists of prices have more than two places; a half cent more or less is a tenth of some of them.
    whole, _, places = f"{usd:,.4f}".partition(".")
    return f"${whole}.{places[:2]}{places[2:].rstrip('0')}"


def _count_words(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,} tokens"


def _limit_words(model: ModelSpec) -> str:
    given = [(model.rpm_limit, "requests"), (model.tpm_limit, "tokens")]
    return ", ".join(f"{limit:,} {word}" for limit, word in given if limit is not None) or "none given"


def _retirement(model: ModelSpec, labels: Mapping[str, str]) -> str:
    if model.retires_on is None:
        return "no date announced"
    instead = f", then {labels.get(model.successor, model.successor)}" if model.successor else ""
    return f"{model.retires_on.day} {model.retires_on:%b %Y}{instead}"


def _measured(figures: ModelFigures, value: float | None, words: Callable[[float], str]) -> str:
    if value is None:
        return "not measured"
    answers = "1 answer" if figures.answers == 1 else f"{figures.answers:,} answers"
    return f"{words(value)} (median of {answers})"
