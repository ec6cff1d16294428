"""Which of several models to take, from the team's own evidence and what somebody cares about. Pure rules.

Quality is the rating from blind votes; where they are too few for that, weaker signs stand in, ten for one vote.
Speed is the median time to the first token, price the mean cost of an answer. All models of a comparison are measured
by the same: in the use case where at least two of them have enough there, else over all use cases.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypeVar, get_args

from core.arena.evidence import Answers, Evidence
from core.arena.ratings import SHOWN_FROM, Board, Rating
from core.arena.weak_evidence import WEIGHT, WeakEvidence
from core.catalog.health import HEALTHY_SHARE

T = TypeVar("T")
Measure = Literal["quality", "speed", "price"]
Dial = Literal["quality", "balanced", "speed", "price"]
DIALS: tuple[Dial, ...] = get_args(Dial)
# Fewer answers time and price nothing: the bound of the status' percentiles and of the frontier.
ENOUGH_ANSWERS = 20
# Signs that weigh as much as the 10 votes from which a model is rated.
ENOUGH_SIGNS = round(SHOWN_FROM / WEIGHT)

# An opinion of ours: in balance, half the wait is worth 60 points of rating (6 of 10 votes), half the price 30, and one
# call of a hundred that fails costs 10. Below a hundredth of a cent a lower price is worth nothing more.
_POINTS_PER_HALF_WAIT = 60.0
_POINTS_PER_HALF_PRICE = 30.0
_POINTS_PER_SHARE = 1_000.0
_LEAST_USD = 0.000_1
_PAIR = 2
_NOTHING = Answers()
_MIDDLE, _SIGNS_SPAN = 1_000.0, 800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one model: None and empty where there is too little to count it.

    `quality` is on the scale of ratings; `rating` says where it comes from, unless `signs` do.
    """

    model_id: str
    quality: float | None = None
    rating: Rating | None = None
    signs: WeakEvidence | None = None
    answers: Answers = _NOTHING

    @property
    def first_token_ms(self) -> float | None:
        """The median, from 20 answers on."""
        return self.answers.first_token_ms if self.answers.timed >= ENOUGH_ANSWERS else None

    @property
    def cost_usd(self) -> Decimal | None:
        """The mean cost of an answer, from 20 priced ones on."""
        return self.answers.cost_usd if self.answers.priced >= ENOUGH_ANSWERS else None

    @property
    def worked_share(self) -> float | None:
        """The share of calls that worked, from 20 on."""
        return self.answers.worked / self.answers.judged if self.answers.judged >= ENOUGH_ANSWERS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The models, the first to try first. `judged` are those whose place is from evidence; they come first.

    Empty: there is too little to go by, and the order is the one that was given. `missing` then names what there is too
    little of. `quality_from` and `answers_from` are the use case that was measured, None for all of them together.
    """

    order: Sequence[str]
    judged: Mapping[str, Known]
    missing: Sequence[Measure] = ()
    quality_from: str | None = None
    answers_from: str | None = None


def advise(candidates: Sequence[str], evidence: Evidence, *, use_case: str, dial: Dial) -> Advice:
    """Put models in order; `candidates` come in the order that holds where nothing is known.

    At the dial's ends the one measure alone decides, in balance all of them. A model of which more than 2 calls of 100
    fail comes after the others that are judged; one that lacks a measure after all of them.
    """
    return _advise(tuple(candidates), evidence, use_case, dial)


# The pages ask at every run for every use case; a handful of orders per person's list of models is all there is.
@lru_cache(maxsize=512)
def _advise(candidates: tuple[str, ...], evidence: Evidence, use_case: str, dial: Dial) -> Advice:
    qualities, quality_from = _first_enough(candidates, _qualities(evidence, use_case))
    answers, answers_from = _first_enough(candidates, [(name, _enough(evidence, name)) for name in (use_case, None)])
    known = [
        replace(qualities.get(name, Known(model_id=name)), answers=answers.get(name, _NOTHING)) for name in candidates
    ]
    judged = [one for one in known if all(_measure(one, name) is not None for name in _needed(dial))]
    if len(judged) < min(_PAIR, len(candidates)) or not judged:
        lacking = [name for name in _needed(dial) if sum(_measure(one, name) is not None for one in known) < _PAIR]
        return Advice(order=list(candidates), judged={}, missing=lacking or _needed(dial))
    judged.sort(key=lambda one: place(one, dial))
    found = {one.model_id: one for one in judged}
    return Advice(
        order=[*found, *(name for name in candidates if name not in found)],
        judged=found,
        quality_from=quality_from,
        answers_from=answers_from,
    )


def place(one: Known, dial: Dial) -> tuple[bool, float, float]:
    """What a judged model is sorted by, the best the lowest."""
    struggles = one.worked_share is not None and one.worked_share < HEALTHY_SHARE
    match dial:
        case "quality":
            first = -(one.quality or 0.0)
        case "speed":
            first = one.first_token_ms or 0.0
        case "price":
            first = float(one.cost_usd or 0)
        case "balanced":
            first = 0.0
    return struggles, first, -_points(one)


def _points(one: Known) -> float:
    """All measures on the scale of ratings; what is not known counts nothing, for or against."""
    points = _MIDDLE if one.quality is None else one.quality
    if one.first_token_ms is not None:
        points -= _POINTS_PER_HALF_WAIT * math.log2(max(one.first_token_ms, 1.0))
    if one.cost_usd is not None:
        points -= _POINTS_PER_HALF_PRICE * math.log2(float(one.cost_usd) + _LEAST_USD)
    if one.worked_share is not None:
        points += _POINTS_PER_SHARE * one.worked_share
    return points


def _needed(dial: Dial) -> list[Measure]:
    return ["quality", "speed", "price"] if dial == "balanced" else [dial]


def _measure(one: Known, name: Measure) -> object | None:
    return {"quality": one.quality, "speed": one.first_token_ms, "price": one.cost_usd}[name]


def _first_enough(
    candidates: Sequence[str], found: Sequence[tuple[str | None, Mapping[str, T]]]
) -> tuple[Mapping[str, T], str | None]:
    """The first that says something of two candidates, else the last."""
    for use_case, known in found:
        if sum(name in known for name in candidates) >= _PAIR:
            return known, use_case
    return found[-1][1], found[-1][0]


def _qualities(evidence: Evidence, use_case: str) -> list[tuple[str | None, Mapping[str, Known]]]:
    """From votes, else from weaker signs: never from both in one comparison."""
    by_signs = [(name, _from_signs(evidence.signs.get(name, {}))) for name in (use_case, None)]
    return [*((name, _from_votes(evidence.boards.get(name))) for name in (use_case, None)), *by_signs]


def _from_votes(board: Board | None) -> Mapping[str, Known]:
    ratings = board.ratings if board else ()
    return {one.model_id: Known(model_id=one.model_id, quality=one.rating, rating=one) for one in ratings}


def _from_signs(signs: Mapping[str, WeakEvidence]) -> Mapping[str, Known]:
    return {
        name: Known(model_id=name, quality=_MIDDLE + _SIGNS_SPAN * (one.share - 0.5), signs=one)
        for name, one in signs.items()
        if one.signs >= ENOUGH_SIGNS
    }


def _enough(evidence: Evidence, use_case: str | None) -> Mapping[str, Answers]:
    found = evidence.answers.get(use_case, {})
    return {name: one for name, one in found.items() if one.judged >= ENOUGH_ANSWERS}
