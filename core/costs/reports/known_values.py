"""Which models, providers, use cases and statuses there were in some time: what a filter offers."""

from __future__ import annotations

from core.costs.reports.statements import fetch
from core.costs.usage_filter import UsageFilter, Viewer
from core.store.database import Cursor

_LISTS = ("models", "providers", "use_cases", "statuses")


def known_values(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer) -> dict[str, list[str]]:
    """The values of each list of a filter among the chosen calls, in the order of the alphabet."""
    rows = fetch(cur, "known_values", chosen, viewer=viewer)
    return {name: sorted(row["value"] for row in rows if row["list"] == name) for name in _LISTS}
