"""How long a name is locked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.accounts.sign_in import FREE_FAILURES, LONGEST_LOCK_S, lock_s


def test_the_lock_doubles_from_thirty_seconds_to_an_hour():
    assert [lock_s(failures) for failures in range(1, 15)] == [
        *[0, 0, 0, 0],
        *[30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600],
    ]


@given(st.integers(min_value=0, max_value=10**9))
def test_it_never_shrinks_and_never_exceeds_an_hour(failures):
    assert lock_s(failures) <= lock_s(failures + 1) <= LONGEST_LOCK_S
    assert (lock_s(failures) == 0) == (failures < FREE_FAILURES)
