"""The models side by side as rows of figures, and what filters leave of them. Pure: no page, no store."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from core.catalog.health import ModelStatus
from core.catalog.models import ModelSpec, Prices
from core.costs.model_figures import ModelFigures
from core.spreadsheet import safe_cell
from ui.model_card import abilities, state_sign
from ui.model_filter import Order, our_order, provider_name, recommended, search_text, shown_capabilities

# A table shows no word for a figure that is missing. As a figure it sorts behind every known price.
UNPRICED = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Everything about one model that the page shows.

    `strip` is a picture of its last 24 hours, None when it was not tried; `rank` its place among those recommended.
    """

    model: ModelSpec
    status: ModelStatus
    figures: ModelFigures = field(default_factory=ModelFigures)
    strip: str | None = None
    rank: int | None = None

    @property
    def state(self) -> str:
        """The status in a word or two, with its sign."""
        return state_sign(self.model, self.status)


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
        **({"Rank": [row.rank for row in rows]} if any(row.rank for row in rows) else {}),
        "Model": [row.model.label for row in rows],
        "Provider": [provider_name(row.model.provider.id) for row in rows],
        "Status": [row.state for row in rows],
        "24 h": [row.strip for row in rows],
        "In": [_usd(row.model.prices, "input", unknown=UNPRICED) for row in rows],
        "Cached": [_usd(row.model.prices, "cached_input") for row in rows],
        "Out": [_usd(row.model.prices, "output", unknown=UNPRICED) for row in rows],
        "Context": [row.model.context_tokens for row in rows],
        "Output limit": [row.model.max_output_tokens for row in rows],
        "My month": [_spent(row.figures) for row in rows],
        "First token": [row.figures.first_token_ms for row in rows],
        "p95": [row.status.figures.first_token_day_ms.p95 for row in rows],
        "Tokens/s": [row.figures.tokens_per_second for row in rows],
        "Worked": [row.status.figures.day.share for row in rows],
        "Can": [abilities(row.model) for row in rows],
        "Use cases": [", ".join(row.model.use_cases) for row in rows],
        "Retires": [row.model.retires_on for row in rows],
    }


def in_recommended_order(rows: Sequence[Row], use_case: str, *, order: Order = our_order) -> list[Row]:
    """The models that the registry names for a use case with their rank, the first to try first; then the others."""
    by_id = {row.model.id: row for row in rows}
    models = {name: row.model for name, row in by_id.items() if row.model.enabled}
    statuses = {name: row.status for name, row in by_id.items()}
    ranked = recommended(models, statuses, use_case, limit=len(models), order=order)
    others = [row for name, row in by_id.items() if name not in set(ranked)]
    return [*(replace(by_id[name], rank=place) for place, name in enumerate(ranked, start=1)), *others]


def to_csv(rows: Sequence[Row]) -> bytes:
    """The table with exact prices and ids, for a spreadsheet. UTF-8 with the mark that Excel looks for."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV)
    for row in rows:
        writer.writerow([safe_cell(value) for value in _csv_values(row)])
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
    "first_token_p95_ms_24_hours",
    "tokens_per_second",
    "answers_7_days",
    "worked_24_hours",
    "judged_24_hours",
)


def _csv_values(row: Row) -> list[Any]:
    model, figures, prices, day = row.model, row.figures, row.model.prices, row.status.figures
    status = row.status.state if model.enabled else "switched_off"
    buckets = [None] * 3 if prices is None else [prices.input, prices.cached_input, prices.output]
    return [
        *(model.id, model.label, model.provider.id, model.upstream, status),
        *(None if price is None else f"{price:f}" for price in buckets),
        _tiers_cell(prices),
        *(model.context_tokens, model.max_output_tokens),
        *(" ".join(shown_capabilities(model)), " ".join(model.use_cases), model.retires_on),
        *(f"{figures.spent_usd:f}", figures.unpriced, figures.first_token_ms, day.first_token_day_ms.p95),
        *(figures.tokens_per_second, figures.answers, day.day.worked, day.day.judged),
    ]


def _tiers_cell(prices: Prices | None) -> str | None:
    """`above 200000: 5 in, 0.25 cached in, 22.5 out; off-peak: 1.25 in, 7.5 out`: exact, per million."""
    if prices is None:
        return None
    other = [(f"above {tier.above_tokens}", tier.prices) for tier in prices.tiers]
    if prices.off_peak:
        other.append(("off-peak", prices.off_peak.prices))
    return "; ".join(f"{when}: {_exact(found)}" for when, found in other) or None


def _exact(prices: Prices) -> str:
    named = {"in": prices.input, "cached in": prices.cached_input, "out": prices.output}
    return ", ".join(f"{usd:f} {name}" for name, usd in named.items() if usd is not None)


def _usd(prices: Prices | None, bucket: str, *, unknown: float | None = None) -> float | None:
    value: Decimal | None = None if prices is None else getattr(prices, bucket)
    return unknown if value is None else float(value)


def _spent(figures: ModelFigures) -> float | None:
    return float(figures.spent_usd) if figures.calls > figures.unpriced else None
