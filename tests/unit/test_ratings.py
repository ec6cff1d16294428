"""Boards: what is shown, what is ranked, and what style does."""

from __future__ import annotations

import numpy as np
import pytest

from core.arena.ratings import head_to_head, rate
from core.arena.style import Style, style_of

EVEN = {f"{side}_{name}": 0 for side in ("left", "right") for name in ("characters", "list_items", "headers")}


def table(*rows):
    """Votes as columns: (left, right, score of the left one, times)."""
    each = [(left, right, score) for left, right, score, times in rows for _ in range(times)]
    looks = {name: np.full(len(each), value) for name, value in EVEN.items()}
    return {
        "left_model": [row[0] for row in each],
        "right_model": [row[1] for row in each],
        "score": [row[2] for row in each],
        **looks,
    }


def test_no_votes_make_an_empty_board():
    assert rate(table()).ratings == ()


def test_nine_votes_show_nothing_and_ten_show_a_rating_without_a_rank():
    assert rate(table(("a", "b", 1, 9))).too_few == {"a": 9, "b": 9}

    board = rate(table(("a", "b", 1, 5), ("b", "a", 1, 5)))
    assert [(one.model_id, round(one.rating), one.rank) for one in board.ratings] == [
        ("a", 1000, None),
        ("b", 1000, None),
    ]


def test_ten_times_the_odds_are_four_hundred_points():
    board = rate(table(("a", "b", 1, 10_000), ("a", "b", 0, 1_000)))

    first, second = board.ratings
    assert first.rating - second.rating == pytest.approx(400, abs=1)
    assert (first.rank, second.rank) == (1, 2)


def test_models_whose_intervals_meet_share_a_rank():
    board = rate(table(("a", "b", 1, 21), ("a", "b", 0, 20), ("a", "c", 1, 40), ("b", "c", 1, 40)))

    assert [one.rank for one in board.ratings] == [1, 1, 3]
    assert all(one.low <= one.rating <= one.high for one in board.ratings)


def test_a_model_that_wins_by_length_alone_is_no_better_once_that_is_taken_into_account():
    random = np.random.default_rng(5)
    longer = random.integers(0, 2, 4000).astype(bool)
    votes = {
        **table(("wordy", "terse", 1, 4000)),
        # The wordy one is longer in most pairs, and whoever is longer mostly wins.
        "left_characters": np.where(longer | (random.random(4000) < 0.7), 2000, 500),
        "right_characters": np.full(4000, 1000),
    }
    ahead = votes["left_characters"] > votes["right_characters"]
    votes["score"] = (random.random(4000) < np.where(ahead, 0.75, 0.25)).astype(float)

    plain, fair = rate(votes), rate(votes, style=True)
    assert plain.ratings[0].rating - plain.ratings[1].rating > 100
    assert abs(fair.ratings[0].rating - fair.ratings[1].rating) < 40
    assert fair.style["length"] > 0.5


def test_pairs_are_counted_from_both_sides_and_ties_are_half():
    found = {
        (one.model_id, one.other_id): (one.votes, one.share)
        for one in head_to_head(table(("a", "b", 1, 3), ("b", "a", 0.5, 1)))
    }

    assert found == {("a", "b"): (4, 0.875), ("b", "a"): (4, 0.125)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Style(0, 0, 0)),
        ("# Title\n\n- one\n- two\n 1. three", Style(30, 3, 1)),
        ("```\n# no title\n- no item\n```\n- item", Style(35, 1, 0)),
        ("a - b # c\n-3 degrees", Style(20, 0, 0)),
        ("~~~\n# never closed", Style(18, 0, 0)),
    ],
)
def test_style_counts_lists_and_headers_outside_of_code(text, expected):
    assert style_of(text) == expected
