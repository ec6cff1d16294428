"""Which model to take for a use case: an order, and its reasons in numbers. Pure rules.

Nobody has measured yet how good answers are, so which models suit a use case is editorial: the registry names them. Of
these, whatever cannot be called now, lacks what the use case needs or reads too little is left out. The calls of the
last 24 hours put the rest in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.catalog.choice import usual_price
from core.catalog.health import HEALTHY_SHARE, SAMPLES_FOR_PERCENTILES, Calls, ModelStatus, Percentiles
from core.catalog.models import Capability, ModelSpec, Prices

# Fifty pages or a few source files at some 500 tokens a page, and the answer.
_LONG_READING_TOKENS = 32_000
# Half a second is what people notice; finer steps would let chance outweigh the price.
_FIRST_TOKEN_STEP_MS = 500

_CANNOT = frozenset({"no_key", "down", "starting"})
_MEASURED, _ANSWERED, _UNTRIED, _STRUGGLING = range(4)


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a model must be able to do for a use case, and how many tokens it must be able to read."""

    capabilities: frozenset[Capability] = frozenset()
    context_tokens: int = 0


_NEEDS: Mapping[str, _Needs] = {
    "analysis": _Needs(context_tokens=_LONG_READING_TOKENS),
    "coding": _Needs(context_tokens=_LONG_READING_TOKENS),
    "images": _Needs(frozenset({Capability.VISION})),
}


@dataclass(frozen=True, slots=True)
class Reasons:
    """What speaks for a model, in numbers: its calls and first tokens of 24 h, its prices, its window."""

    calls: Calls
    first_token_ms: Percentiles
    prices: Prices | None
    context_tokens: int | None

    @property
    def measured(self) -> bool:
        """Whether there were enough calls, 20, to say how well the model does; else all is editorial."""
        return _enough(self.calls)

    @property
    def worked_percent(self) -> int:
        """Whole percent of the calls that worked, rounded down: 100 only when all did; 0 without calls."""
        return _worked_percent(self.calls)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One model for a use case, and why."""

    model_id: str
    reasons: Reasons


def use_cases(models: Mapping[str, ModelSpec]) -> list[str]:
    """The use cases that the registry names, in its order."""
    return list(dict.fromkeys(name for model in models.values() for name in model.use_cases))


def callable_now(status: ModelStatus) -> bool:
    """Whether a call would be let through: there is a key, the model is up, and its circuit is closed."""
    return status.state not in _CANNOT and status.cooling is None


def recommend(
    models: Mapping[str, ModelSpec], statuses: Mapping[str, ModelStatus], use_case: str, *, limit: int | None = None
) -> list[Recommendation]:
    """The models for a use case, the best first, at most `limit`; empty when none can be called.

    `models` are those a person may use, in the registry's order, which decides between equals; `statuses` has the
    status of each that the registry names for the use case. Measured and healthy models come first, by the whole
    percent of their calls that worked, then the median time to the first token in steps of half a second, then price.
    After them the unmeasured, those that answered lately first, by price; at the end whatever struggles.
    """
    needs = _NEEDS.get(use_case, _Needs())
    fitting = [
        model
        for model in models.values()
        if use_case in model.use_cases and _fits(model, needs) and callable_now(statuses[model.id])
    ]
    fitting.sort(key=lambda model: _rank(model, statuses[model.id]))
    return [Recommendation(model.id, _reasons(model, statuses[model.id])) for model in fitting[:limit]]


def _fits(model: ModelSpec, needs: _Needs) -> bool:
    # A window that nobody states is not a small one: the registry named the model for the use case all the same.
    reads_enough = model.context_tokens is None or model.context_tokens >= needs.context_tokens
    return reads_enough and needs.capabilities <= model.capabilities


def _reasons(model: ModelSpec, status: ModelStatus) -> Reasons:
    figures = status.figures
    return Reasons(figures.day, figures.first_token_day_ms, model.prices, model.context_tokens)


def _rank(model: ModelSpec, status: ModelStatus) -> tuple[int, int, float, bool, Decimal]:
    calls, price = status.figures.day, usual_price(model.prices)
    if not _enough(calls):
        return _tier(status), 0, 0.0, model.prices is None, price
    median_ms = status.figures.first_token_day_ms.p50
    step = float("inf") if median_ms is None else median_ms // _FIRST_TOKEN_STEP_MS
    return _tier(status), -_worked_percent(calls), step, model.prices is None, price


def _tier(status: ModelStatus) -> int:
    calls = status.figures.day
    if status.state == "slow":
        return _STRUGGLING
    if _enough(calls):
        return _MEASURED if (calls.share or 0) >= HEALTHY_SHARE else _STRUGGLING
    return _ANSWERED if status.state == "healthy" else _UNTRIED


def _enough(calls: Calls) -> bool:
    return calls.judged >= SAMPLES_FOR_PERCENTILES


def _worked_percent(calls: Calls) -> int:
    return 100 * calls.worked // calls.judged if calls.judged else 0
