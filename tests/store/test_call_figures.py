"""The figures of a day that are kept summed up, beside the same figures read at once."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from core.catalog.call_figures import CallFigures
from core.catalog.health import Calls
from core.catalog.log_bins import bin_of
from tests.support.attempts import add_attempt
from tests.support.moving_clock import MovingClock

STATUSES = ("ok", "ok", "ok", "server", "rate_limit", "stopped", "bad_request")


@pytest.fixture(name="clock")
def _clock() -> MovingClock:
    return MovingClock()


def ago(clock, **duration):
    return clock.now - timedelta(**duration)


def add_some(database, clock, chance: random.Random, *, most_minutes: float, count: int) -> None:
    for number in range(count):
        status = chance.choice(STATUSES)
        add_attempt(
            database,
            ended_at=ago(clock, minutes=chance.uniform(0, most_minutes)),
            model=chance.choice(("a", "b", "c")),
            status=status,
            first_token_ms=None if status == "server" else chance.uniform(5, 2400),
            tokens=chance.randrange(500),
            error_message=f"error {number}" if status in {"server", "rate_limit"} else None,
            source=chance.choice(("chat", "chat", "probe")),
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_figures_that_are_kept_are_those_of_the_ledger_whatever_time_passes(database, clock, seed: int) -> None:
    chance = random.Random(seed)
    kept = CallFigures(database)
    add_some(database, clock, chance, most_minutes=25 * 60, count=60)

    # Minutes, hours, more than the half hour, a step back of the clock, more than a day.
    for minutes in (0, 0.5, 3, 29, 45, 300, -10, 700, 1500):
        clock.advance(minutes=minutes)
        add_some(database, clock, chance, most_minutes=20, count=6)

        assert kept.read(now=clock.now) == CallFigures(database).read(now=clock.now)


def test_a_try_that_ended_long_before_its_turn_is_counted_all_the_same(database, clock) -> None:
    kept = CallFigures(database)
    add_attempt(database, ended_at=ago(clock, hours=2))
    kept.read(now=clock.now)
    add_attempt(database, ended_at=ago(clock, hours=1), status="server", error_message="It was late.")
    clock.advance(seconds=2)

    found = kept.read(now=clock.now)["gpt"]

    assert (found.day, found.last_error) == (Calls(worked=1, failed=1), "It was late.")


def test_a_call_leaves_with_its_minute_after_a_day(database, clock) -> None:
    kept = CallFigures(database)
    add_attempt(database, ended_at=clock.now)
    assert kept.read(now=clock.now)["gpt"].day == Calls(worked=1)
    clock.advance(hours=24)
    assert kept.read(now=clock.now)["gpt"].day == Calls(worked=1)
    clock.advance(minutes=1)

    assert kept.read(now=clock.now) == {}


def test_what_happened_last_outlives_the_half_hour_and_not_the_day(database, clock) -> None:
    kept = CallFigures(database)
    for hours, status in ((23, "ok"), (22, "server"), (21, "stall")):
        add_attempt(database, ended_at=ago(clock, hours=hours), status=status, error_message=f"It was {status}.")
    first = kept.read(now=clock.now)["gpt"]
    clock.advance(hours=2.5)
    later = kept.read(now=clock.now)["gpt"]

    assert (first.failures_in_a_row, first.last_worked_at) == (2, ago(clock, hours=25.5))
    assert (later.failures_in_a_row, later.last_worked_at, later.last_error) == (1, None, "It was stall.")


def test_a_probe_counts_as_a_call_and_not_as_a_measure_of_speed(database, clock) -> None:
    add_attempt(database, ended_at=clock.now, source="probe")
    add_attempt(database, ended_at=clock.now, source="chat")

    found = CallFigures(database).read(now=clock.now)["gpt"]

    assert (found.day, found.half_hour, found.requests_last_minute) == (Calls(worked=2), Calls(worked=2), 2)
    samples = (found.first_token_half_hour_ms, found.first_token_day_ms, found.tokens_per_second)
    assert [one.samples for one in samples] == [1, 1, 1]


def test_the_store_and_python_agree_on_the_bins(database, clock) -> None:
    waits = [0.5, 1, 20, 777, 2000.25]
    for wait_ms in waits:
        add_attempt(database, ended_at=clock.now, first_token_ms=wait_ms)

    bins = CallFigures(database)
    bins.read(now=clock.now)
    clock.advance(hours=1)
    bins.read(now=clock.now)

    assert bins._summed is not None
    assert sorted(bins._summed.models["gpt"].waits) == sorted(bin_of(wait_ms) for wait_ms in waits)
