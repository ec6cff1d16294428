"""Replay: what a part of the ledger would have cost on another model.

The stored token buckets of every answered call, times how many tokens the same text is for the other model (measured,
see core.costs.length_ratios), times the other model's prices of today. The range comes from the quartiles of the
answers' lengths. Calls that the other model could not have served are left out on both sides and counted by reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from core.catalog.models import Capability, ModelSpec, Prices
from core.costs.length_ratios import LengthRatio, LengthRatios
from core.costs.pricing import compute_cost
from core.costs.usage_filter import UsageFilter, Viewer, clause
from core.providers.events import Usage
from core.store.database import Row
from core.store.reader import Reader
from core.store.sql import load_queries

# As core.chat.admission leaves free for the answer before it calls a history too long.
_ROOM_FOR_ANSWER = 256
# More than any model reads, for "no limit" and "no such tier" in a query.
_NEVER = 2**62
_TIERS = 3
# One part in so many of the chosen time is looked through, and then all of it.
_LOOKED_BACK = (16, 1)
_SQL = load_queries("replay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The calls that one model answered, and how long their text is for the other one."""

    model_id: str
    calls: int
    ratio: LengthRatio


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What the chosen calls would have cost on `model`.

    `calls` could have been served; they cost `actual_usd`, at least that when `unpriced` of them have no known cost.
    `low_usd` to `high_usd` is what they would have cost; all three are None when nobody knows the model's prices.
    `left_out` counts the others by reason: window, images, tools, json, reasoning. `parts` says what the range rests
    on.
    """

    model: ModelSpec
    calls: int
    actual_usd: Decimal
    unpriced: int
    low_usd: Decimal | None
    middle_usd: Decimal | None
    high_usd: Decimal | None
    left_out: Mapping[str, int]
    parts: Sequence[Part]

    @property
    def assumed_calls(self) -> int:
        """How many calls rest on answers of the same length only because too few were measured: without a range."""
        return sum(part.calls for part in self.parts if part.ratio.evidence == "assumed")

    @property
    def saved_usd(self) -> Decimal | None:
        """How much less the middle is than what was paid; negative when it is more."""
        return None if self.middle_usd is None else self.actual_usd - self.middle_usd


def replay(ledger: Reader, chosen: UsageFilter, model: ModelSpec, *, viewer: Viewer, ratios: LengthRatios) -> Replay:
    """The chosen calls on `model`, as far as the viewer may see them."""
    between = {name: ratios.between(name, model.id) for name in answered_models(ledger, chosen, viewer=viewer)}
    found = _rows(ledger, "replayed", chosen, model, viewer=viewer, between=between) if between else []
    # A model that answered for the first time just now is in the second statement alone.
    rows = [row for row in found if row["model_id"] in between]
    served = [row for row in rows if row["left_out"] is None]
    return Replay(
        model=model,
        calls=sum(row["calls"] for row in served),
        actual_usd=sum((row["cost_usd"] for row in served), Decimal(0)),
        unpriced=sum(row["unpriced"] for row in served),
        low_usd=_cost(served, model.prices, {name: (ratio, ratio.output_low) for name, ratio in between.items()}),
        middle_usd=_cost(served, model.prices, {name: (ratio, ratio.output_middle) for name, ratio in between.items()}),
        high_usd=_cost(served, model.prices, {name: (ratio, ratio.output_high) for name, ratio in between.items()}),
        left_out=_added(rows, "left_out"),
        parts=[
            Part(model_id=name, calls=calls, ratio=between[name]) for name, calls in _added(served, "model_id").items()
        ],
    )


def left_out_calls(
    ledger: Reader,
    chosen: UsageFilter,
    model: ModelSpec,
    *,
    viewer: Viewer,
    ratios: LengthRatios,
    limit: int = 200,
) -> list[Row]:
    """The newest calls that `model` could not have served, each with its reason; no text of anybody's."""
    between = {name: ratios.between(name, model.id) for name in answered_models(ledger, chosen, viewer=viewer)}
    rows: list[Row] = []
    # They are looked for from the newest on: most of the time is not read when there are enough of them in a part.
    for part in _LOOKED_BACK if between else ():
        lately = replace(chosen, since=max(chosen.since, chosen.until - chosen.span / part))
        rows = _rows(ledger, "left_out_calls", lately, model, viewer=viewer, between=between, limit=limit)
        if len(rows) == limit:
            break
    return rows


def answered_models(ledger: Reader, chosen: UsageFilter, *, viewer: Viewer) -> dict[str, int]:
    """How many of the chosen calls each model answered, most first."""
    where = clause(chosen, viewer=viewer)
    rows = ledger.fetch_all(_filled("calls_by_model", where.sql), **where.parameters)
    return {row["model_id"]: row["calls"] for row in rows}


def _rows(
    ledger: Reader,
    name: str,
    chosen: UsageFilter,
    model: ModelSpec,
    *,
    viewer: Viewer,
    between: Mapping[str, LengthRatio],
    **parameters: Any,
) -> list[Row]:
    where = clause(chosen, viewer=viewer)
    factors = [{"model_id": name, "input_ratio": ratio.input} for name, ratio in between.items() if ratio.input != 1]
    return ledger.fetch_all(
        _as_read(_filled(name, where.sql), differs=bool(factors)),
        **({"factors": factors} if factors else {}),
        **where.parameters,
        **_abilities(model),
        **(_edges(model.prices) if name == "replayed" else {}),
        **parameters,
    )


def _filled(name: str, where: str) -> str:
    return (
        _SQL[name]
        .replace("{where}", where)
        .replace("{answered}", _SQL["answered"])
        .replace("{left_out}", _SQL["left_out"])
    )


def _as_read(sql: str, *, differs: bool) -> str:
    # Finding the model's ratio for each call takes as long as all the rest (measured at a million rows).
    calls, would_read = (
        (_SQL["calls_as_read"], "input_tokens * input_ratio") if differs else ("measured_calls", "input_tokens")
    )
    return sql.replace("{calls}", calls).replace("{would_read}", would_read)


def _abilities(model: ModelSpec) -> dict[str, int | bool]:
    window = model.context_tokens
    return {
        "window": _NEVER if window is None else max(1, window - _ROOM_FOR_ANSWER),
        "sees": Capability.VISION in model.capabilities,
        "uses_tools": Capability.TOOLS in model.capabilities,
        "writes_json": Capability.JSON in model.capabilities,
        "reasons": Capability.REASONING in model.capabilities,
    }


def _edges(prices: Prices | None) -> dict[str, int]:
    edges = [tier.above_tokens for tier in prices.tiers] if prices else []
    return {f"tier_{index + 1}": edges[index] if index < len(edges) else _NEVER for index in range(_TIERS)}


def _cost(
    rows: Sequence[Row], prices: Prices | None, lengths: Mapping[str, tuple[LengthRatio, float]]
) -> Decimal | None:
    if prices is None:
        return None
    return sum((_cost_of_group(row, prices, *lengths[row["model_id"]]) for row in rows), Decimal(0))


def _cost_of_group(row: Row, prices: Prices, ratio: LengthRatio, output_ratio: float) -> Decimal:
    # The group's calls are all in one tier of the other model: their tokens may be added up before they are priced.
    tier = prices.tiers[row["tier"] - 1].prices if row["tier"] else prices
    usage = Usage(
        input_tokens=round(row["input_tokens"] * ratio.input),
        cached_input_tokens=round(row["cached_input_tokens"] * ratio.input),
        cache_write_tokens=round(row["cache_write_tokens"] * ratio.input),
        image_tokens=row["image_tokens"],
        output_tokens=round(row["output_tokens"] * output_ratio),
        reasoning_tokens=round(row["reasoning_tokens"] * output_ratio),
    )
    tokens_usd = compute_cost(usage, replace(tier, tiers=(), off_peak=None, request=None))
    calls: int = row["calls"]
    return tokens_usd + (tier.request or Decimal(0)) * calls


def _added(rows: Sequence[Row], name: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        if row[name] is not None:
            counts[row[name]] = counts.get(row[name], 0) + row["calls"]
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
