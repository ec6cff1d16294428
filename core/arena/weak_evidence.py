"""What speaks for a model without being a vote: thumbs, continuing with its answer, asking it instead of another one.

It is given with the names in sight and only by those who care to. It is shown apart and never mixed into the ratings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.store.database import Database
from core.store.sql import load_queries

# What one of these counts beside a vote, where a recommendation has too few votes to go by. An opinion of ours: ten
# signs given in passing say as much as one considered comparison.
WEIGHT = 0.1

_SQL = load_queries("weak_evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakEvidence:
    """Counts for one model.

    `continued`: a comparison went on with its answer. `asked_instead`: it answered a question after another model had;
    `replaced`: the other way round.
    """

    model_id: str
    thumbs_up: int
    thumbs_down: int
    continued: int
    asked_instead: int
    replaced: int

    @property
    def signs(self) -> int:
        """How many there are."""
        return self.thumbs_up + self.thumbs_down + self.continued + self.asked_instead + self.replaced

    @property
    def share(self) -> float:
        """The share of them that speaks for the model; 0.5 without any."""
        good = self.thumbs_up + self.continued + self.asked_instead
        return good / self.signs if self.signs else 0.5


def weak_evidence(database: Database, *, since: datetime, use_case: str | None = None) -> list[WeakEvidence]:
    """Everybody's signs since a moment (naive UTC), of one use case or of all, most of them first."""
    rows = database.fetch_all(_SQL["weak_evidence"], since=since, use_case=use_case)
    return [WeakEvidence(**row) for row in rows]
