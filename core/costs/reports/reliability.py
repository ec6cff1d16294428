"""What did not go as it should: failures by class, what fallbacks cost, stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.costs.ledger import OUT_OF_MONEY
from core.costs.local_days import begins, grain_for
from core.costs.reports.overview import Column
from core.costs.reports.statements import fetch
from core.costs.reports.totals import Spent, spent_of, total
from core.costs.usage_filter import UsageFilter, Viewer, local_number
from core.store.database import Cursor, Row

ANSWERED = "ok"
# By whoever asked, or because a budget was used up: neither is the model's failure.
STOPPED = frozenset({"stopped", OUT_OF_MONEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Detour:
    """Calls of `model` that failed and were followed by a try of `next_model`, the same one or another.

    `lost_ms` is the time from the beginning of each failed try to that of the next, `spent` what the failed ones cost.
    """

    model: str
    next_model: str
    spent: Spent
    lost_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How the chosen calls ended, by model and status, and the detours that failures led to."""

    outcomes: Mapping[tuple[str, str], Spent]
    columns: Sequence[Column]
    detours: Sequence[Detour]

    @property
    def totals(self) -> Spent:
        """All calls."""
        return total(self.outcomes.values())

    @property
    def failures(self) -> dict[str, Spent]:
        """What failed, by class."""
        found: dict[str, Spent] = {}
        for (_, status), spent in self.outcomes.items():
            if status != ANSWERED and status not in STOPPED:
                found[status] = found.get(status, Spent()) + spent
        return found

    @property
    def stops(self) -> dict[str, Spent]:
        """What people or budgets stopped, by model."""
        found: dict[str, Spent] = {}
        for (model, status), spent in self.outcomes.items():
            if status in STOPPED:
                found[model] = found.get(model, Spent()) + spent
        return found

    @property
    def tax(self) -> Spent:
        """What the failed tries cost that another followed."""
        return total(detour.spent for detour in self.detours)

    @property
    def lost_ms(self) -> float:
        """How much longer people waited because of them."""
        return sum(detour.lost_ms for detour in self.detours)


def load_reliability(cur: Cursor, chosen: UsageFilter, *, viewer: Viewer) -> Reliability:
    """Read it. Call it in a snapshot: its parts are to agree."""
    grain = grain_for(chosen.since, chosen.until)
    expressions = {"bucket": local_number(chosen, grain)}
    over_time = fetch(cur, "outcomes_over_time", chosen, viewer=viewer, expressions=expressions)
    over_time.sort(key=lambda row: (row["bucket"], row["name"]))
    outcomes = fetch(cur, "outcomes", chosen, viewer=viewer)
    detours = fetch(cur, "detours", chosen, viewer=viewer)
    return Reliability(
        outcomes={(row["model"], row["status"]): spent_of(row) for row in outcomes},
        columns=[_column(row, begins(row["bucket"], grain)) for row in over_time],
        detours=sorted((_detour(row) for row in detours), key=lambda one: (-one.lost_ms, one.model, one.next_model)),
    )


def _column(row: Row, at: datetime) -> Column:
    return Column(at=at, name=row["name"], spent=spent_of(row))


def _detour(row: Row) -> Detour:
    return Detour(model=row["model"], next_model=row["next_model"], spent=spent_of(row), lost_ms=row["lost_us"] / 1000)
