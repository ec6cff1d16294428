"""Sliding windows of a minute: who waits, for how long, and what counts."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.costs.rates import Lane, Windows
from tests.support.moving_clock import MovingClock

ANN = Lane("limit", "ann", None, 2, None)
TOKENS = Lane("limit", "ann", None, None, 100)


def test_a_request_over_the_limit_waits_until_the_oldest_leaves_the_window():
    windows, clock = Windows(), MovingClock()
    for turn in ("one", "two"):
        windows.enter(turn, [ANN], tokens=0, now=clock())
        clock.advance(seconds=10)

    full = windows.full([ANN], tokens=0, now=clock())

    assert full is not None
    assert (full.what, full.used, full.wait_s) == ("requests", 2, 40)
    clock.advance(seconds=40)
    assert windows.full([ANN], tokens=0, now=clock()) is None


def test_tokens_wait_until_enough_of_them_leave():
    windows, clock = Windows(), MovingClock()
    for turn, tokens in (("one", 30), ("two", 60)):
        windows.enter(turn, [TOKENS], tokens=tokens, now=clock())
        clock.advance(seconds=10)

    small, large = (windows.full([TOKENS], tokens=tokens, now=clock()) for tokens in (20, 80))

    assert small is not None
    assert large is not None
    assert (small.wait_s, large.wait_s) == (40, 50)


def test_a_call_larger_than_the_whole_minute_never_passes():
    full = Windows().full([TOKENS], tokens=101, now=MovingClock()())

    assert full is not None
    assert full.wait_s is None


def test_what_a_turn_took_takes_the_place_of_its_estimate():
    windows, clock = Windows(), MovingClock()
    of_model = Lane("other", "", "gpt", None, 1000)
    windows.enter("turn", [TOKENS, of_model], tokens=90, now=clock())
    windows.enter("turn", [TOKENS, of_model], tokens=5, now=clock())

    windows.correct("turn", tokens={"gpt": 20, "claude": 30})

    assert windows.used(TOKENS, now=clock()) == (2, 50)
    assert windows.used(of_model, now=clock()) == (2, 20)


def test_a_kept_answer_leaves_the_windows():
    windows, clock = Windows(), MovingClock()
    windows.enter("turn", [ANN], tokens=10, now=clock())

    windows.correct("turn", tokens={})

    assert windows.used(ANN, now=clock()) == (0, 0)


@given(gaps=st.lists(st.integers(min_value=0, max_value=50_000), min_size=1, max_size=60))
def test_no_minute_ever_holds_more_than_the_limit(gaps):
    windows, clock, admitted = Windows(), MovingClock(), []
    lane = Lane("limit", "ann", None, 3, None)
    for number, gap in enumerate(gaps):
        clock.advance(milliseconds=gap)
        full = windows.full([lane], tokens=0, now=clock())
        if full is not None:
            assert full.wait_s is not None
            clock.advance(seconds=full.wait_s)
        assert windows.full([lane], tokens=0, now=clock()) is None
        windows.enter(str(number), [lane], tokens=0, now=clock())
        admitted.append(clock())

    for moment in admitted:
        assert sum(moment - timedelta(minutes=1) < other <= moment for other in admitted) <= 3
