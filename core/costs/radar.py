"""The deprecation radar: models in use that retire soon, who takes their place, and what that would have cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.catalog.models import ModelSpec
from core.costs.length_ratios import LengthRatios
from core.costs.replay import Replay, replay
from core.costs.usage_filter import UsageFilter, Viewer, clause
from core.store.reader import Reader
from core.store.sql import load_queries

# Providers announce a retirement three to six months ahead.
WARN_AHEAD = timedelta(days=180)
IN_USE_OVER = timedelta(days=30)

_SQL = load_queries("replay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retiring:
    """A model in use that retires on `retires_on`: its use of the last 30 days, and the same calls on its successor.

    `successor` is None when nobody named one that is still there; `instead` is None then.
    """

    model: ModelSpec
    retires_on: date
    calls: int
    people: int
    cost_usd: Decimal
    unpriced: int
    last_used_at: datetime
    successor: ModelSpec | None
    instead: Replay | None


def retiring(
    ledger: Reader,
    models: Mapping[str, ModelSpec],
    *,
    scope: UsageFilter,
    viewer: Viewer,
    ratios: Callable[[], LengthRatios],
    now: datetime,
) -> list[Retiring]:
    """Models of the registry that retire within 180 days or have retired, and were used in the last 30; soonest first.

    `scope` says whose use counts; its times are not looked at. `ratios` is called when there is something to replay.
    """
    last = now.date() + WARN_AHEAD
    soon = {name: model for name, model in models.items() if model.retires_on and model.retires_on <= last}
    if not soon:
        return []
    used = scope.at(now - IN_USE_OVER, now)
    where = clause(used, viewer=viewer)
    sql = _SQL["use_of_models"].replace("{where}", where.sql)
    rows = ledger.fetch_all(sql, **where.parameters, models=list(soon))
    found = [
        _retiring(ledger, models, soon[row.pop("model_id")], row, used=used, viewer=viewer, ratios=ratios)
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.retires_on, -one.calls))


def _retiring(
    ledger: Reader,
    models: Mapping[str, ModelSpec],
    model: ModelSpec,
    row: Mapping[str, object],
    *,
    used: UsageFilter,
    viewer: Viewer,
    ratios: Callable[[], LengthRatios],
) -> Retiring:
    successor = models.get(model.successor or "")
    alone = replace(used, models=(model.id,))
    instead = None if successor is None else replay(ledger, alone, successor, viewer=viewer, ratios=ratios())
    return Retiring(model=model, retires_on=model.retires_on or date.max, successor=successor, instead=instead, **row)  # type: ignore[arg-type]
