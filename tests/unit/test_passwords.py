"""Password rules, hashes and one-time passwords."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.accounts.passwords import (
    MAXIMUM_BYTES,
    READABLE,
    generate_password,
    hash_password,
    password_matches,
    readable_code,
)
from core.errors import AccountError
from tests.support.people import QUICK


def test_a_password_matches_its_hash_only():
    stored = hash_password("correct horse", rounds=QUICK)

    assert password_matches("correct horse", stored)
    assert not password_matches("correct horsf", stored)
    assert not password_matches("", stored)


def test_seven_characters_are_too_few():
    with pytest.raises(AccountError, match="at least 8 characters"):
        hash_password("1234567", rounds=QUICK)


def test_seventy_two_bytes_are_enough_and_one_more_is_too_many():
    assert password_matches("ä" * 36, hash_password("ä" * 36, rounds=QUICK))
    with pytest.raises(AccountError, match="at most 72 bytes"):
        hash_password("ä" * 36 + "x", rounds=QUICK)


def test_a_longer_guess_never_matches_its_first_72_bytes():
    stored = hash_password("x" * MAXIMUM_BYTES, rounds=QUICK)

    assert not password_matches("x" * (MAXIMUM_BYTES + 1), stored)


def test_a_composed_and_a_decomposed_letter_are_the_same_password():
    stored = hash_password(unicodedata.normalize("NFD", "pässwörter"), rounds=QUICK)

    assert password_matches(unicodedata.normalize("NFC", "pässwörter"), stored)


def test_nobody_matches_nothing():
    assert not password_matches("anything at all", None)


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=8, max_size=18))
def test_whatever_is_accepted_matches_itself(password):
    assert password_matches(password, hash_password(password, rounds=QUICK))


def test_a_one_time_password_keeps_the_rules_and_reads_well():
    password = generate_password()

    assert len(password.replace("-", "")) == 12
    assert set(password) <= set(READABLE) | {"-"}
    assert hash_password(password, rounds=QUICK)


def test_codes_differ():
    assert len({readable_code(groups=2) for _ in range(200)}) == 200
