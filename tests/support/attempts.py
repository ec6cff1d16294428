"""Ledger rows for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from core.costs.ledger import Attempt, record_attempt
from core.costs.pricing import Cost
from core.ids import new_id
from core.providers.events import Usage
from core.store.attempt_rows import take_out_rows
from core.store.database import Database


def add_attempt(
    database: Database,
    *,
    ended_at: datetime,
    model: str = "gpt",
    status: str = "ok",
    first_token_ms: float | None = 500,
    tokens: int = 100,
    lasted_s: float = 2.5,
    **fields: Any,
) -> None:
    """Write one attempt that ended at `ended_at`; `first_token_ms=None` when no token came."""
    started_at = ended_at - timedelta(seconds=lasted_s)
    first = None if first_token_ms is None else started_at + timedelta(milliseconds=first_token_ms)
    given = {
        "id": new_id(),
        "turn_id": new_id(),
        "user_id": "ann",
        "conversation_id": None,
        "source": "chat",
        "use_case": None,
        "requested_model": model,
        "served_model": model,
        "upstream_model": None,
        "provider": "lab",
        "parameters": {},
        "started_at": started_at,
        "first_token_at": first,
        "ended_at": ended_at,
        "usage": Usage(input_tokens=10, output_tokens=tokens),
        "cost": Cost(cost_usd=None, code="unpriced", computed_cost_usd=None, reported_cost_usd=None),
        "price_version": None,
        "status": status,
        **fields,
    }
    attempt = Attempt(**given)
    database.transaction(lambda cur: record_attempt(cur, attempt))


def ledger_table(database: Database) -> str:
    """The table that keeps the ledger: its columns may be changed directly where they are called as in `attempts`."""
    return "attempts" if database.is_shared else "attempt_rows"


def delete_attempts(database: Database, condition: str = "true", **parameters: Any) -> None:
    """Delete the attempts that meet a condition over the columns of `attempts`."""
    database.transaction(lambda cur: take_out_rows(cur, condition, **parameters))
