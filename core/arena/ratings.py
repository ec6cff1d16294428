"""Ratings from votes: strengths on the usual scale, their intervals, and ranks only where the intervals allow them.

A rating is 1000 plus 400 times the decimal logarithm of the odds against the average model (Elo's scale, as LMArena
shows it): 400 more is ten times the odds. Intervals hold 95 % of 200 bootstraps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arena.bradley_terry import BOOTSTRAPS, Battles, Floats, Strengths, bootstrap, fit

# PRODUCT's figures: 10 votes to show a model, 30 to rank it.
SHOWN_FROM = 10
RANKED_FROM = 30
STYLE_NAMES = ("length", "lists", "headers")

_MIDDLE = 1000.0
_SCALE = 400.0 / math.log(10)
_INTERVAL = (2.5, 97.5)

# Columns of votes by name, all of one length: left_model, right_model (text), score (1, 0.5 or 0 for the left one), and
# characters, list_items and headers of either side (left_characters, ...).
Votes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One model's rating with its 95 % interval. `rank` is None below 30 votes; equal ranks cannot be told apart."""

    model_id: str
    rating: float
    low: float
    high: float
    votes: int
    rank: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The ratings of one use case or of all. `too_few` counts the votes of models that have fewer than 10.

    `style` says, where it was controlled for, what a feature alone does to the odds of winning: 0.2 for "length" means
    that an answer twice as long as the other starts with odds of e^0.2 to 1.
    """

    votes: int
    ratings: Sequence[Rating]
    too_few: Mapping[str, int]
    style: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadToHead:
    """How one model did against another: `share` of the votes won, ties half."""

    model_id: str
    other_id: str
    votes: int
    share: float


def rate(votes: Votes, *, style: bool = False, progress: Callable[[float], None] | None = None) -> Board:
    """The board of these votes. `progress` hears the share that is done, from 0 to 1."""
    names, battles = to_battles(votes, style=style)
    counts = _counts(battles)
    if not battles.count:
        return Board(votes=0, ratings=(), too_few={}, style={} if style else None)
    found = fit(battles)
    drawn = bootstrap(battles, rounds=BOOTSTRAPS, progress=progress)
    low, high = np.percentile(drawn, _INTERVAL, axis=0)
    return Board(
        votes=battles.count,
        ratings=_ranked(names, counts, found, low, high),
        too_few={name: int(count) for name, count in zip(names, counts, strict=True) if count < SHOWN_FROM},
        style=dict(zip(STYLE_NAMES, found.of_style.tolist(), strict=True)) if style else None,
    )


def to_battles(votes: Votes, *, style: bool) -> tuple[list[str], Battles]:
    """The models' names in order, and the votes as indices of them."""
    left, right = (np.asarray(votes[side], dtype=object) for side in ("left_model", "right_model"))
    names, indices = np.unique(np.concatenate((left, right)).astype(str), return_inverse=True)
    score = np.asarray(votes["score"], dtype=np.float64)
    battles = Battles(
        models=len(names),
        left=indices[: len(left)].astype(np.int64),
        right=indices[len(left) :].astype(np.int64),
        score=score,
        style=_style(votes) if style else None,
    )
    return names.tolist(), battles


def head_to_head(votes: Votes) -> list[HeadToHead]:
    """Every pair that met, from either side, in the order of names."""
    names, battles = to_battles(votes, style=False)
    sides = ((battles.left, battles.right, battles.score), (battles.right, battles.left, 1 - battles.score))
    cells, shares = (
        np.concatenate([one * battles.models + other for one, other, _ in sides]),
        np.concatenate([score for _, _, score in sides]),
    )
    counts, won = (np.bincount(cells, weights=weights) for weights in (None, shares))
    return [
        HeadToHead(
            model_id=names[cell // battles.models],
            other_id=names[cell % battles.models],
            votes=int(counts[cell]),
            share=float(won[cell] / counts[cell]),
        )
        for cell in np.flatnonzero(counts)
    ]


def _style(votes: Votes) -> Floats:
    # Lengths as the logarithm of their ratio, in doublings; the others by how many more of them, damped: LMArena takes
    # the difference over the sum, which cannot tell one header from ten where the other answer has none.
    lengths = np.log2((1 + _column(votes, "left_characters")) / (1 + _column(votes, "right_characters")))
    marks = [
        np.log1p(_column(votes, f"left_{name}")) - np.log1p(_column(votes, f"right_{name}"))
        for name in ("list_items", "headers")
    ]
    return np.column_stack((lengths, *marks))


def _column(votes: Votes, name: str) -> Floats:
    return np.asarray(votes[name], dtype=np.float64)


def _counts(battles: Battles) -> Floats:
    both = np.concatenate((battles.left, battles.right))
    return np.bincount(both, minlength=battles.models).astype(np.float64)


def _ranked(names: Sequence[str], counts: Floats, found: Strengths, low: Floats, high: Floats) -> list[Rating]:
    shown = [index for index in range(len(names)) if counts[index] >= SHOWN_FROM]
    ranked = [index for index in shown if counts[index] >= RANKED_FROM]
    ratings = [
        Rating(
            model_id=names[index],
            rating=_on_scale(found.of_models[index]),
            low=_on_scale(min(low[index], found.of_models[index])),
            high=_on_scale(max(high[index], found.of_models[index])),
            votes=int(counts[index]),
            # LMArena's rule: one more than the models that are better beyond doubt.
            rank=1 + sum(low[other] > high[index] for other in ranked) if index in ranked else None,
        )
        for index in shown
    ]
    return sorted(ratings, key=lambda rating: (-rating.rating, rating.model_id))


def _on_scale(strength: float) -> float:
    return float(_MIDDLE + _SCALE * strength)
