"""What each model took lately, as far as the ledger knows: speed for everybody, spending for one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.store.database import Database
from core.store.sql import load_queries

# Long enough for models that are asked once a week, and short enough to be true today.
MEASURED_OVER = timedelta(days=7)

_SQL = load_queries("model_figures")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigures:
    """One model's figures.

    `answers` of the last 7 days are what the medians are of; both are None when there were none. `calls` and
    `spent_usd` are one person's since the start of the month; `unpriced` of the calls have no known cost, so that with
    any of them the sum is "at least".
    """

    answers: int = 0
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    calls: int = 0
    spent_usd: Decimal = Decimal(0)
    unpriced: int = 0


def figures_by_model(database: Database, *, user_id: str, month: datetime, now: datetime) -> dict[str, ModelFigures]:
    """The figures of every model in the ledger, by id. `month` is when this person's month began; both naive UTC."""
    rows = database.fetch_all(_SQL["figures_by_model"], user_id=user_id, month=month, since=now - MEASURED_OVER)
    return {row.pop("model_id"): ModelFigures(**{**row, "spent_usd": row["spent_usd"] or Decimal(0)}) for row in rows}
