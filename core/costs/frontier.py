"""The frontier: which models give most for the money, and which are beaten by another one on both counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.costs.usage_filter import UsageFilter, Viewer, clause
from core.store.reader import Reader
from core.store.sql import load_queries

# The mean of fewer answers is chance.
ENOUGH_ANSWERS = 20
# With fewer ratings there is nothing to hold them against.
_ENOUGH_RATED = 2

_SQL = load_queries("replay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one model's answers were like in the chosen part of the ledger.

    `cost_per_answer_usd` is the mean over priced calls, None when there is none; `duration_ms` the median time from the
    question to the last word, `first_token_ms` to the first. `quality` is a rating from votes, higher is better, where
    there are enough of them, and `win_share` the share of its votes that it won.
    """

    model_id: str
    answers: int
    unpriced: int
    cost_per_answer_usd: Decimal | None
    first_token_ms: float | None
    duration_ms: float
    quality: float | None = None
    win_share: float | None = None

    @property
    def cost_per_win_usd(self) -> Decimal | None:
        """What its answers cost for each one that was voted the better; None without a price or a win."""
        if self.cost_per_answer_usd is None or not self.win_share:
            return None
        return self.cost_per_answer_usd / Decimal(self.win_share)


@dataclass(frozen=True, slots=True)
class Frontier:
    """Models by rising cost. `beaten_by` names for every dominated model one that is no dearer and no worse.

    `by_quality` says what "worse" means: a lower rating, where at least two models have one, else a longer median
    duration. A model without a rating then has no place among the others.
    """

    standings: Sequence[Standing]
    beaten_by: Mapping[str, str]
    by_quality: bool

    @property
    def placed(self) -> Sequence[Standing]:
        """The models that are held against each other."""
        return [one for one in self.standings if one.quality is not None] if self.by_quality else self.standings

    @property
    def unrated(self) -> Sequence[Standing]:
        """The models without a rating."""
        return [one for one in self.standings if one.quality is None]


def standings(
    ledger: Reader,
    chosen: UsageFilter,
    *,
    viewer: Viewer,
    ratings: Mapping[str, float] | None = None,
    win_shares: Mapping[str, float] | None = None,
) -> Sequence[Standing]:
    """Every model with at least 20 answers among the chosen calls. `ratings` and `win_shares` are by model."""
    where = clause(chosen, viewer=viewer)
    sql = _SQL["standings"].replace("{where}", where.sql)
    rows = ledger.fetch_all(sql, enough=ENOUGH_ANSWERS, **where.parameters)
    ratings, win_shares = ratings or {}, win_shares or {}
    return [
        Standing(**row, quality=ratings.get(row["model_id"]), win_share=win_shares.get(row["model_id"])) for row in rows
    ]


def frontier(found: Sequence[Standing]) -> Frontier:
    """Put the priced models in order and find the dominated ones.

    A model is dominated when another costs no more and is no worse, and is better in one of the two. Of several that
    beat it, the cheapest is named.
    """
    priced = sorted(
        (one for one in found if one.cost_per_answer_usd is not None),
        key=lambda one: (one.cost_per_answer_usd, one.model_id),
    )
    by_quality = sum(one.quality is not None for one in priced) >= _ENOUGH_RATED
    order = Frontier(priced, {}, by_quality)
    places = [(one.model_id, *_place(one, by_quality=by_quality)) for one in order.placed]
    beaten_by = {
        model_id: better
        for model_id, cost_usd, badness in places
        if (better := _better(places, cost_usd=cost_usd, badness=badness)) is not None
    }
    return replace(order, beaten_by=beaten_by)


def _place(one: Standing, *, by_quality: bool) -> tuple[Decimal, float]:
    return one.cost_per_answer_usd or Decimal(0), -(one.quality or 0.0) if by_quality else one.duration_ms


def _better(places: Sequence[tuple[str, Decimal, float]], *, cost_usd: Decimal, badness: float) -> str | None:
    return next(
        (
            model_id
            for model_id, other_usd, other_badness in places
            if other_usd <= cost_usd and other_badness <= badness and (other_usd, other_badness) != (cost_usd, badness)
        ),
        None,
    )
