"""When a model is left alone, for how long, and who finds out whether it is back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorClass
from core.providers.circuit import TROUBLE, Circuit, Circuits, after_failure, after_success, may_call
from tests.support.moving_clock import MovingClock

LIMITED = ErrorClass.RATE_LIMIT
SERVER = ErrorClass.SERVER


@pytest.fixture(name="clock")
def _clock():
    return MovingClock()


@pytest.fixture(name="circuits")
def _circuits(clock):
    return Circuits(clock=clock)


def test_a_model_that_nobody_called_may_be_called(circuits):
    assert circuits.enter("gpt")
    assert circuits.state("gpt").open_until is None


@pytest.mark.parametrize(("retry_after_s", "seconds"), [(None, 30), (7.0, 7), (90.0, 90), (0.0, 0)])
def test_a_429_opens_for_retry_after_or_thirty_seconds(circuits, clock, retry_after_s, seconds):
    circuits.fail("gpt", LIMITED, retry_after_s=retry_after_s)

    state = circuits.state("gpt")
    assert state.open_until == (clock() + timedelta(seconds=seconds) if seconds else None)
    assert state.reason == ("429" if seconds else "")
    assert circuits.enter("gpt") == (seconds == 0)
    assert circuits.enter("other")


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_no_retry_after_is_too_large(retry_after_s):
    clock = MovingClock()

    opened = after_failure(Circuit(), LIMITED, now=clock(), retry_after_s=retry_after_s)

    assert clock() <= opened.open_until <= clock() + timedelta(days=1)


@pytest.mark.parametrize(
    ("worked", "failed", "opens"),
    [(0, 4, False), (0, 5, True), (2, 3, True), (3, 3, False), (3, 4, True), (50, 51, True), (51, 50, False)],
)
def test_more_than_half_of_at_least_five_calls_must_fail(circuits, worked, failed, opens):
    for _ in range(worked):
        circuits.succeed("gpt")
    for _ in range(failed):
        circuits.fail("gpt", SERVER)

    assert circuits.enter("gpt") != opens
    assert (circuits.state("gpt").reason == f"{failed} of {worked + failed} calls failed") == opens


def test_calls_older_than_a_minute_do_not_count(circuits, clock):
    for _ in range(4):
        circuits.fail("gpt", SERVER)
    clock.advance(seconds=61)
    circuits.fail("gpt", SERVER)

    assert circuits.enter("gpt")


@pytest.mark.parametrize("error_class", sorted(set(ErrorClass) - TROUBLE))
def test_what_the_request_or_the_key_is_to_blame_for_opens_nothing(circuits, error_class):
    for _ in range(9):
        circuits.fail("gpt", error_class)

    assert circuits.enter("gpt")


def test_half_open_lets_one_call_through_and_its_success_closes(circuits, clock):
    circuits.fail("gpt", LIMITED)
    clock.advance(seconds=30)

    assert circuits.state("gpt").open_until is None
    assert [circuits.enter("gpt") for _ in range(3)] == [True, False, False]
    circuits.succeed("gpt")
    assert [circuits.enter("gpt") for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("error_class", sorted(TROUBLE))
def test_a_failed_trial_opens_again(circuits, clock, error_class):
    circuits.fail("gpt", LIMITED)
    clock.advance(seconds=30)
    assert circuits.enter("gpt")

    circuits.fail("gpt", error_class)

    assert not circuits.enter("gpt")
    assert circuits.state("gpt").open_until == clock() + timedelta(seconds=30)
    assert circuits.state("gpt").reason == "429"


@pytest.mark.parametrize("report", [lambda c: c.leave("gpt"), lambda c: c.fail("gpt", ErrorClass.BAD_REQUEST)])
def test_a_trial_that_says_nothing_about_the_model_leaves_the_next_call_to_find_out(circuits, clock, report):
    circuits.fail("gpt", LIMITED)
    clock.advance(seconds=30)
    assert circuits.enter("gpt")

    report(circuits)

    assert [circuits.enter("gpt") for _ in range(2)] == [True, False]


def test_a_trial_that_nobody_reports_does_not_lock_the_model_out(circuits, clock):
    circuits.fail("gpt", LIMITED)
    clock.advance(seconds=30)
    assert circuits.enter("gpt")

    clock.advance(minutes=11)

    assert circuits.enter("gpt")


def test_a_late_failure_does_not_shorten_what_the_provider_asked_for(circuits, clock):
    circuits.fail("gpt", LIMITED, retry_after_s=300)
    circuits.fail("gpt", SERVER)

    assert circuits.state("gpt").open_until == clock() + timedelta(seconds=300)


def test_what_failed_before_an_opening_is_forgotten_when_it_closes():
    now = MovingClock()()
    circuit = Circuit()
    for _ in range(5):
        circuit = after_failure(circuit, SERVER, now=now)
    assert not may_call(circuit, now=now)

    circuit = after_failure(after_success(circuit, now=now), SERVER, now=now)

    assert may_call(circuit, now=now)


def test_of_many_threads_one_gets_the_trial(circuits, clock):
    circuits.fail("gpt", LIMITED)
    clock.advance(seconds=31)

    with ThreadPoolExecutor(8) as threads:
        admitted = list(threads.map(lambda _: circuits.enter("gpt"), range(64)))

    assert sum(admitted) == 1
