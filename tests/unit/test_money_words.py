"""Amounts of money in words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.words import apart, money

AMOUNTS = st.decimals(min_value=0, max_value=100, places=9)


@pytest.mark.parametrize(
    ("cost", "left", "words"),
    [
        ("0.021", "0.02", ("$0.021", "$0.02")),
        ("0.0149", "0.0101", ("$0.015", "$0.01")),
        ("0.0067", "0.002", ("$0.0067", "$0.002")),
        ("0.006712", "0.006709", ("$0.006712", "$0.006709")),
        ("12.345000001", "12.345", ("$12.345000001", "$12.345")),
        ("2", "2", ("$2.00", "$2.00")),
    ],
)
def test_two_amounts_that_round_to_the_same_are_told_apart(cost, left, words):
    assert apart(Decimal(cost), Decimal(left)) == words


@given(AMOUNTS, AMOUNTS)
def test_amounts_that_differ_never_read_the_same(one, other):
    words = apart(one, other)

    assert (words[0] == words[1]) == (one == other)
    if money(one) != money(other):
        assert words == (money(one), money(other))
