"""Which models, providers, use cases and statuses the ledger holds: what a filter offers."""

from __future__ import annotations

from core.store.database import Database
from core.store.sql import load_queries

_LISTS = ("models", "providers", "use_cases", "statuses")


def known_values(database: Database, *, user_id: str | None) -> dict[str, list[str]]:
    """The values of each list of a filter, in the order of the alphabet; of one person's calls, or of everybody's."""
    sql = load_queries("usage")["known_values"]
    rows = database.fetch_all(sql, user_id=user_id)
    return {name: sorted({row[name] for row in rows}) for name in _LISTS}
