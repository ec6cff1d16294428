"""What the ledger and the probes say about a model, read from a real store."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from core.catalog.call_figures import CallFigures
from core.catalog.health import Calls, Cooling, Figures
from core.catalog.passive_health import PassiveHealth, read_usual
from core.catalog.status_history import Stretch, status_history
from core.store.sql import load_queries
from tests.support.attempts import add_attempt
from tests.support.moving_clock import MovingClock


@pytest.fixture(name="clock")
def _clock() -> MovingClock:
    return MovingClock()


@pytest.fixture(name="health")
def _health(database, clock) -> PassiveHealth:
    return PassiveHealth(database, clock=clock, now_ms=lambda: clock.now.timestamp() * 1000)


def record(health: PassiveHealth) -> None:
    """Look at the store and write down what changed."""
    health.probed()
    health.record_changes()


def figures(database, clock, model: str = "gpt") -> Figures:
    return CallFigures(database).read(now=clock.now)[model]


def ago(clock, **duration):
    return clock.now - timedelta(**duration)


def test_calls_are_counted_over_five_minutes_half_an_hour_and_a_day(database, clock) -> None:
    for minutes, status in [
        (1, "ok"),
        (4, "server"),
        (20, "ok"),
        (25, "rate_limit"),
        (300, "connection"),
        (1441, "ok"),
    ]:
        add_attempt(database, ended_at=ago(clock, minutes=minutes), status=status)

    found = figures(database, clock)

    assert (found.five_minutes, found.half_hour, found.day) == (Calls(1, 1), Calls(2, 1, 1), Calls(2, 2, 1))


@pytest.mark.parametrize("status", ["interrupted", "starting", "bad_request", "context_length", "content_policy"])
def test_what_says_nothing_about_the_model_counts_for_nothing(database, clock, status: str) -> None:
    add_attempt(database, ended_at=clock.now, status=status, first_token_ms=None)

    found = figures(database, clock)

    assert (found.day, found.last_at, found.failures_in_a_row) == (Calls(), None, 0)


@pytest.mark.parametrize("status", ["stopped", "budget"])
def test_a_stopped_answer_worked_once_it_had_begun(database, clock, status: str) -> None:
    add_attempt(database, ended_at=clock.now, status=status)
    add_attempt(database, ended_at=clock.now, status=status, first_token_ms=None)

    assert figures(database, clock).day == Calls(worked=1)


def test_failures_in_a_row_are_the_newest_ones_and_pass_over_rate_limits(database, clock) -> None:
    for minutes, status in [(9, "server"), (8, "ok"), (7, "server"), (6, "rate_limit"), (5, "stall")]:
        add_attempt(database, ended_at=ago(clock, minutes=minutes), status=status, error_message=f"It was {status}.")

    found = figures(database, clock)

    assert (found.failures_in_a_row, found.last_error) == (2, "It was stall.")
    assert (found.last_error_at, found.last_worked_at) == (ago(clock, minutes=5), ago(clock, minutes=8))


def test_percentiles_need_twenty_samples(database, clock) -> None:
    for number in range(1, 20):
        add_attempt(database, ended_at=ago(clock, minutes=20), first_token_ms=number * 100, tokens=100, lasted_s=2.5)
    assert figures(database, clock).first_token_half_hour_ms.p50 is None
    assert figures(database, clock).first_token_half_hour_ms.samples == 19
    add_attempt(database, ended_at=ago(clock, minutes=20), first_token_ms=2000, lasted_s=2.5)

    waits = figures(database, clock).first_token_half_hour_ms

    assert (waits.p50, waits.p95) == (pytest.approx(1050), pytest.approx(1905))


def test_speed_is_tokens_by_writing_time_of_whole_answers(database, clock) -> None:
    for _ in range(20):
        add_attempt(database, ended_at=ago(clock, hours=2), first_token_ms=500, tokens=100, lasted_s=2.5)
    add_attempt(database, ended_at=ago(clock, hours=2), status="truncated", tokens=9000)

    assert figures(database, clock).tokens_per_second.p50 == pytest.approx(50, rel=0.01)


def test_the_usual_wait_is_the_median_of_full_hours_before_this_half_hour(database, clock) -> None:
    for hours, wait_ms in [(2, 1000), (26, 3000), (50, 2000)]:
        for _ in range(20):
            add_attempt(database, ended_at=ago(clock, hours=hours), first_token_ms=wait_ms, lasted_s=5)
    for _ in range(20):
        add_attempt(database, ended_at=clock.now, first_token_ms=4900, lasted_s=5)
    for _ in range(19):
        add_attempt(database, ended_at=ago(clock, hours=70), first_token_ms=4900, lasted_s=5)

    assert read_usual(database, now=clock.now) == {"gpt": pytest.approx(2000)}


def test_the_last_minute_counts_requests_and_tokens(database, clock) -> None:
    add_attempt(database, ended_at=ago(clock, seconds=5), tokens=100)
    add_attempt(database, ended_at=ago(clock, seconds=10), status="rate_limit", first_token_ms=None, tokens=0)
    add_attempt(database, ended_at=ago(clock, seconds=70))

    found = figures(database, clock)

    assert (found.requests_last_minute, found.tokens_last_minute) == (2, 120)


def test_answers_from_the_cache_say_nothing(database, clock) -> None:
    add_attempt(database, ended_at=clock.now, cached=True)

    assert CallFigures(database).read(now=clock.now) == {}


def test_states_go_from_grey_to_green_to_red_and_back_and_are_written_down(database, clock, health) -> None:
    begun = clock.now
    record(health)
    add_attempt(database, ended_at=clock.now)
    record(health)
    clock.advance(minutes=5)
    for _ in range(3):
        add_attempt(database, ended_at=clock.now, status="server", error_message="GPT failed. Try again.")
    record(health)
    clock.advance(hours=3)
    record(health)

    history = status_history(database, clock=clock)

    failed, grey = begun + timedelta(minutes=5), begun + timedelta(minutes=15)
    assert history["gpt"] == (
        Stretch("healthy", "healthy", begun, failed),
        Stretch("down", "down: GPT failed", failed, grey),
        Stretch("unknown", "not tried lately", grey, clock.now),
    )


def test_history_begins_with_the_state_that_held_before(database, clock, health) -> None:
    add_attempt(database, ended_at=clock.now)
    record(health)
    clock.advance(minutes=30)
    record(health)
    clock.advance(days=2)

    (only,) = status_history(database, clock=clock)["gpt"]

    assert (only.state, only.since, only.until) == ("unknown", ago(clock, hours=24), clock.now)


def test_a_restart_finds_the_states_and_repeats_none(database, clock, health) -> None:
    add_attempt(database, ended_at=clock.now)
    record(health)

    PassiveHealth(database, clock=clock).record_changes()

    assert len(database.fetch_all("select * from status_changes")) == 1


def test_history_is_forgotten_after_thirty_days_but_not_the_last_state(database, clock, health) -> None:
    insert = load_queries("health")["insert_probe"]
    database.execute(insert, id="p", model_id="gpt", probed_at=clock.now, duration_ms=3, problem=None)
    add_attempt(database, ended_at=clock.now)
    record(health)
    clock.advance(days=31)
    record(health)

    (change,) = database.fetch_all("select state from status_changes")
    assert change["state"] == "unknown"
    assert database.fetch_all("select * from health_events") == []


def test_cooling_shows_at_once_without_a_look_at_the_store(database, clock) -> None:
    cooling: dict[str, Cooling] = {}
    health = PassiveHealth(database, clock=clock, cooling=cooling.get)
    assert health.status("gpt").state == "unknown"

    cooling["gpt"] = Cooling(clock.now + timedelta(seconds=30), "429")
    assert health.status("gpt").reason == "cooling (429)"
    clock.advance(seconds=30)
    assert health.status("gpt").state == "unknown"


def test_the_store_is_asked_at_most_every_two_seconds(database, clock) -> None:
    now_ms = 0.0
    health = PassiveHealth(database, clock=clock, now_ms=lambda: now_ms)
    health.status("gpt")
    add_attempt(database, ended_at=clock.now)

    now_ms = 1999.0
    assert health.status("gpt").state == "unknown"
    now_ms = 2000.0
    assert health.status("gpt").state == "healthy"


def test_many_threads_may_ask_at_once(database, clock, health) -> None:
    add_attempt(database, ended_at=clock.now)
    health.status("gpt")
    states: list[str] = []
    threads = [threading.Thread(target=lambda: states.append(health.status("gpt").state)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert states == ["healthy"] * 8


def test_a_page_takes_the_look_before_while_a_new_one_is_taken_beside_it(database, clock) -> None:
    waiting = []
    health = PassiveHealth(database, clock=clock, now_ms=lambda: clock.now.timestamp() * 1000, run_aside=waiting.append)
    assert health.status("gpt").state == "unknown"
    add_attempt(database, ended_at=clock.now, status="ok")
    clock.advance(seconds=3)

    assert [health.status("gpt").state for _ in range(3)] == ["unknown"] * 3
    (look,) = waiting
    asyncio.run(look())
    assert health.status("gpt").state == "healthy"

    clock.advance(seconds=46)
    add_attempt(database, model="mini", ended_at=clock.now, status="ok")
    assert health.status("mini").state == "healthy"
    assert len(waiting) == 1
