"""What differs between two answers."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from core.arena.word_diff import word_diff

TEXTS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "mat.", "A", "dog"]), max_size=30).map(" ".join)


def test_words_that_differ_stand_where_they_were():
    found = word_diff("The quick fox jumps.", "The slow fox sleeps.")

    assert [(part.where, part.text) for part in found.parts] == [
        ("both", "The "),
        ("left", "quick "),
        ("right", "slow "),
        ("both", "fox "),
        ("left", "jumps."),
        ("right", "sleeps."),
    ]
    assert (found.left_words, found.right_words, found.same, found.same_percent) == (4, 4, 2, 50)


def test_white_space_makes_no_difference():
    assert word_diff("one\ntwo", "one two").same_percent == 100


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_the_parts(left, right):
    found = word_diff(left, right)

    rights = "".join(part.text for part in found.parts if part.where != "left")
    assert rights.split() == right.split()
    lefts = "".join(part.text for part in found.parts if part.where != "right")
    assert lefts.split() == left.split()
    assert 0 <= found.same_percent <= 100
    assert (found.same_percent == 100) == (left.split() == right.split())


def test_two_long_answers_take_less_than_two_seconds():
    left = " ".join(f"word{number % 977}" for number in range(20_000))
    right = " ".join(f"word{number % 991}" for number in range(20_000))
    started = time.perf_counter()
    word_diff(left, right)

    assert time.perf_counter() - started < 2
