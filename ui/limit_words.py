"""Budgets and limits per minute in words: their changes as the audit shows them, and parts of what tables say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.catalog.models import ModelSpec

_LIMIT_FIELDS = {
    "amount_usd": "amount",
    "period": "every",
    "hard": "refuses",
    "warn_percent": "warns from %",
    "allow_unpriced": "unpriced models allowed",
    "model_id": "model",
    "requests_per_minute": "requests",
    "tokens_per_minute": "tokens",
}


def limit_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a budget or a limit says, or what changed in it: `amount: $50 → $60`."""
    sides = [side for side in (before, after) if side]
    named = {name: label for name, label in _LIMIT_FIELDS.items() if any(side.get(name) is not None for side in sides)}
    return ", ".join(
        f"{label}: {' → '.join(_limit_value(name, side.get(name)) for side in sides)}" for name, label in named.items()
    )


def _limit_value(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"${value}" if name == "amount_usd" else str(value)


def as_sentence(words: str) -> str:
    """Whom something is for, at the beginning of a cell: `for each person` becomes `Each person`."""
    words = words.removeprefix("for ")
    return f"{words[:1].upper()}{words[1:]}"


def model_label(models: Mapping[str, ModelSpec], model_id: str | None) -> str | None:
    """What people call a model; None for one that there is no more, and for none."""
    model = models.get(model_id or "")
    return model.label if model else None
