"""Strengths from votes, held against two libraries that nobody here wrote."""

from __future__ import annotations

import choix
import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.arena.bradley_terry import Battles, bootstrap, fit

WINNERS = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}


def votes(strengths, *, count, seed=1, ties=0.2, style=None, weights=()):
    """Votes of people who know the strengths and toss a coin by them."""
    random = np.random.default_rng(seed)
    models = len(strengths)
    left = random.integers(0, models, count)
    right = (left + random.integers(1, models, count)) % models
    looks = None if style is None else random.normal(0, 1, (count, style))
    margin = np.asarray(strengths)[left] - np.asarray(strengths)[right]
    margin = margin if looks is None else margin + looks @ np.asarray(weights)
    won = (random.random(count) < 1 / (1 + np.exp(-margin))).astype(float)
    score = np.where(random.random(count) < ties, 0.5, won)
    return Battles(models=models, left=left, right=right, score=score, style=looks)


def test_evalica_finds_the_same_strengths_without_ridge():
    battles = votes([0.8, 0.1, -0.2, -0.7], count=4000)

    theirs = evalica.bradley_terry(
        battles.left.tolist(),
        battles.right.tolist(),
        [WINNERS[score] for score in battles.score],
        tolerance=1e-12,
        limit=10_000,
    ).scores.sort_index()

    logs = np.log(theirs.to_numpy())
    assert fit(battles, ridge=1e-9).of_models == pytest.approx(logs - logs.mean(), abs=1e-4)


def test_choix_finds_the_same_strengths_with_ridge():
    battles = votes([0.8, 0.1, -0.2, -0.7], count=300, ties=0)
    won = [(a, b) if score else (b, a) for a, b, score in zip(battles.left, battles.right, battles.score, strict=True)]

    # Its penalty is alpha times the squares, ours ridge / 2 times them.
    theirs = choix.opt_pairwise(4, won, alpha=1.0, tol=1e-10)

    assert fit(battles, ridge=2.0).of_models == pytest.approx(theirs - theirs.mean(), abs=1e-5)


def test_many_votes_bring_back_the_strengths_they_came_from():
    strengths = np.array([1.0, 0.3, 0.0, -0.4, -0.9])

    assert fit(votes(strengths, count=50_000, ties=0)).of_models == pytest.approx(strengths, abs=0.05)


def test_without_votes_everybody_is_in_the_middle():
    none = Battles(models=3, left=np.array([], int), right=np.array([], int), score=np.array([]))

    assert fit(none).of_models.tolist() == [0, 0, 0]
    assert bootstrap(none, rounds=2).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_model_that_never_lost_has_a_finite_strength():
    swept = Battles(models=2, left=np.zeros(5, int), right=np.ones(5, int), score=np.ones(5))

    strengths = fit(swept).of_models
    assert 0.5 < strengths[0] == -strengths[1] < 5


def test_the_weight_of_a_style_is_told_from_the_strengths():
    battles = votes([0.5, 0.0, -0.5], count=20_000, ties=0, style=2, weights=(0.7, 0.0))

    found = fit(battles)
    assert found.of_style == pytest.approx([0.7, 0.0], abs=0.05)
    assert found.of_models == pytest.approx([0.5, 0.0, -0.5], abs=0.05)


@pytest.mark.parametrize("style", [None, 2])
def test_redrawn_strengths_spread_around_the_strengths(style):
    battles = votes([0.5, 0.0, -0.5], count=600, style=style, weights=(0.3, 0.0))

    drawn = bootstrap(battles, rounds=60, seed=3)
    assert drawn.mean(axis=0) == pytest.approx(fit(battles).of_models, abs=0.06)
    assert np.all((drawn.std(axis=0) > 0.03) & (drawn.std(axis=0) < 0.3))
    assert np.array_equal(drawn, bootstrap(battles, rounds=60, seed=3))


def test_many_redrawn_votes_with_style_spread_as_when_each_is_solved():
    many = votes([0.5, 0, -0.5, 1, 0.2], count=6000, style=3, weights=(0.3, 0, 0))
    drawn = bootstrap(many, rounds=20, seed=3)

    random = np.random.default_rng(3)
    for found in drawn[:5]:
        weights = np.bincount(random.integers(many.count, size=many.count), minlength=many.count).astype(float)
        assert found == pytest.approx(fit(many, weights=weights).of_models, abs=0.02 * drawn.std(axis=0).min())


def test_progress_goes_from_the_first_round_to_the_last():
    heard = []
    bootstrap(votes([0.1, -0.1], count=20), rounds=4, progress=heard.append)

    assert heard == [0.25, 0.5, 0.75, 1.0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=40)
)
def test_swapping_the_sides_changes_nothing(rows):
    left = np.array([row[0] for row in rows])
    right = (left + np.array([row[1] for row in rows])) % 4
    score = np.array([row[2] for row in rows])

    seen = fit(Battles(models=4, left=left, right=right, score=score)).of_models
    swapped = fit(Battles(models=4, left=right, right=left, score=1 - score)).of_models
    assert seen == pytest.approx(swapped, abs=1e-5)
    assert seen.sum() == pytest.approx(0, abs=1e-9)
