"""Bradley-Terry strengths from votes, with ridge, and their spread by bootstrap. Pure arithmetic on arrays.

The chance that the left answer wins is the logistic function of the difference of two strengths, plus, where style is
controlled for, of the differences in length, lists and headers times their weights. A tie and "both bad" count half for
either side. SciPy minimises the loss: evalica has neither ridge nor covariates (our tests hold us against it and
against choix), arena-rank brings a whole machine-learning framework along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# The L2 term of scikit-learn's logistic regression (C = 1) on features of size ln 10, FastChat's choice, in units of
# the strengths: 1 / (ln 10)^2. With no votes at all it keeps a model at the middle.
RIDGE = 0.19
BOOTSTRAPS = 200
_TOLERANCE = 1e-8
# The largest slope left in a redrawn fit: its strengths are then within a ten-thousandth, far below their spread.
_ROUGHLY = 1e-2
# From so many votes on, a redrawn fit with style takes two Newton steps from the whole one instead of being solved: the
# difference is far less than the spread that is looked for (a test holds one against the other).
_STEPS_FROM = 5_000
_STEPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Battles:
    """Votes as arrays of one length n.

    `left` and `right` are indices of models, below `models`; `score` is 1 where left won, 0 where right did, 0.5 for a
    tie. `style` (n by k) holds the left answer's style less the right one's, each column on a scale of about one.
    """

    models: int
    left: Integers
    right: Integers
    score: Floats
    style: Floats | None = None

    @property
    def count(self) -> int:
        """How many votes there are."""
        return len(self.score)


@dataclass(frozen=True, slots=True)
class Strengths:
    """`of_models` are natural logarithms of odds with mean 0, `of_style` the weights of the style columns."""

    of_models: Floats
    of_style: Floats


def fit(battles: Battles, *, weights: Floats | None = None, ridge: float = RIDGE) -> Strengths:
    """The strengths that make the votes most likely, less `ridge` / 2 times their squares.

    `weights` are one per vote.
    """
    return _solve(_grouped(battles, weights), ridge=ridge)


def bootstrap(
    battles: Battles,
    *,
    rounds: int = BOOTSTRAPS,
    ridge: float = RIDGE,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Floats:
    """Strengths of the models (rounds by models) from votes drawn anew with replacement; the same seed, the same draws.

    `progress` hears the share that is done, from 0 to 1.
    """
    drawn = np.empty((rounds, battles.models))
    whole = _grouped(battles, None)
    start = _solve(whole, ridge=ridge)
    many = battles.style is not None and battles.count >= _STEPS_FROM
    chance = _Loss(whole, ridge).chance(_joined(start)) if many else None
    for index, weights in enumerate(_redrawn(whole, battles.count, rounds=rounds, seed=seed)):
        again = _Grouped(whole.battles, weights)
        drawn[index] = (
            _stepped(again, ridge=ridge, start=start, chance=chance)
            if chance is not None
            else _solve(again, ridge=ridge, start=start, tolerance=_ROUGHLY)
        ).of_models
        if progress is not None:
            progress((index + 1) / rounds)
    return drawn


@dataclass(frozen=True, slots=True)
class _Grouped:
    """Votes that are alike, once, and how often each stands there."""

    battles: Battles
    weights: Floats


def _grouped(battles: Battles, weights: Floats | None) -> _Grouped:
    counted = np.ones(battles.count) if weights is None else weights
    if battles.style is not None or not battles.count:
        return _Grouped(battles, counted)
    votes = np.column_stack((battles.left, battles.right, battles.score))
    alike, which = np.unique(votes, axis=0, return_inverse=True)
    summed = np.bincount(which.ravel(), weights=counted, minlength=len(alike)).astype(np.float64)
    left, right = alike[:, 0].astype(np.int64), alike[:, 1].astype(np.int64)
    score = alike[:, 2].astype(np.float64)
    return _Grouped(Battles(models=battles.models, left=left, right=right, score=score), summed)


def _redrawn(whole: _Grouped, count: int, *, rounds: int, seed: int) -> Iterator[Floats]:
    random = np.random.default_rng(seed)
    if len(whole.weights) == count:
        # Every vote by itself: to draw places and count them is the same, and far faster.
        for _ in range(rounds):
            yield np.bincount(random.integers(count, size=count), minlength=count).astype(np.float64)
        return
    shares = whole.weights / max(1.0, whole.weights.sum())
    for _ in range(rounds):
        yield random.multinomial(count, shares).astype(np.float64) if count else whole.weights


def _solve(
    grouped: _Grouped, *, ridge: float, start: Strengths | None = None, tolerance: float = _TOLERANCE
) -> Strengths:
    battles = grouped.battles
    columns = 0 if battles.style is None else battles.style.shape[1]
    if not battles.count:
        return Strengths(np.zeros(battles.models), np.zeros(columns))
    loss = _Loss(grouped, ridge)
    first = np.zeros(battles.models + columns) if start is None else _joined(start)
    found = minimize(
        loss.value, first, jac=loss.slope, hess=loss.curvature, method="trust-exact", options={"gtol": tolerance}
    )
    strengths = found.x[: battles.models]
    return Strengths(strengths - strengths.mean(), found.x[battles.models :])


def _joined(strengths: Strengths) -> Floats:
    return np.concatenate((strengths.of_models, strengths.of_style))


def _stepped(grouped: _Grouped, *, ridge: float, start: Strengths, chance: Floats) -> Strengths:
    """A few Newton steps from strengths that are nearly right and make `chance`, the same for every redraw."""
    loss, at = _Loss(grouped, ridge), _joined(start)
    models = grouped.battles.models
    for step in range(_STEPS):
        chance = loss.chance(at) if step else chance
        at = at - np.linalg.solve(loss.curvature_of(chance, len(at)), loss.slope_of(chance, at))
    return Strengths(at[:models] - at[:models].mean(), at[models:])


class _Loss:
    """The loss and its first two derivatives at a vector of strengths and style weights."""

    def __init__(self, grouped: _Grouped, ridge: float) -> None:
        self._battles, self._weights, self._ridge = grouped.battles, grouped.weights, ridge

    def value(self, at: Floats) -> float:
        score, margin = self._battles.score, self._margin(at)
        # log(1 + e^m) - score * m, the negative logarithm of a vote's likelihood, without overflow.
        each = np.logaddexp(0.0, margin) - score * margin
        return float(self._weights @ each + 0.5 * self._ridge * at @ at)

    def chance(self, at: Floats) -> Floats:
        found: Floats = expit(self._margin(at))
        return found

    def slope(self, at: Floats) -> Floats:
        return self.slope_of(self.chance(at), at)

    def slope_of(self, chance: Floats, at: Floats) -> Floats:
        return self._spread(self._weights * (chance - self._battles.score)) + self._ridge * at

    def curvature(self, at: Floats) -> Floats:
        return self.curvature_of(self.chance(at), len(at))

    def curvature_of(self, chance: Floats, size: int) -> Floats:
        battles = self._battles
        doubt = self._weights * chance * (1 - chance)
        met = np.bincount(battles.left * battles.models + battles.right, weights=doubt, minlength=battles.models**2)
        between = met.reshape(battles.models, battles.models)
        between = between + between.T
        found: Floats = self._ridge * np.eye(size)
        found[: battles.models, : battles.models] += np.diag(between.sum(axis=1)) - between
        if battles.style is not None:
            self._add_style(found, battles.style, doubt)
        return found

    def _add_style(self, found: Floats, style: Floats, doubt: Floats) -> None:
        models = self._battles.models
        weighted = style * doubt[:, None]
        found[models:, models:] += style.T @ weighted
        for column in range(style.shape[1]):
            across = self._spread(weighted[:, column])[:models]
            found[:models, models + column] += across
            found[models + column, :models] += across

    def _margin(self, at: Floats) -> Floats:
        battles = self._battles
        margin: Floats = at[battles.left] - at[battles.right]
        return margin if battles.style is None else margin + battles.style @ at[battles.models :]

    def _spread(self, each: Floats) -> Floats:
        battles = self._battles
        won = np.bincount(battles.left, weights=each, minlength=battles.models)
        lost = np.bincount(battles.right, weights=each, minlength=battles.models)
        of_models: Floats = (won - lost).astype(np.float64)
        return of_models if battles.style is None else np.concatenate((of_models, battles.style.T @ each))
