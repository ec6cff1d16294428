"""The rules of a model's status, by a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.health import Calls, Cooling, Figures, Headroom, Percentiles, Probe, first_sentence, headroom, judge
from core.catalog.models import ModelSpec, ProviderSpec
from core.catalog.status_history import KnownState, Stretch, stretches, strip

NOW = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - naive UTC, as everywhere
MINUTE = timedelta(minutes=1)
LATELY = NOW - MINUTE


def figures(worked: int = 0, failed: int = 0, limited: int = 0, **changes) -> Figures:
    calls = Calls(worked, failed, limited)
    return Figures(**{"half_hour": calls, "day": calls, "last_at": LATELY, **changes})


def state(given: Figures, **evidence) -> str:
    return judge(given, now=NOW, **evidence).state


def reason(given: Figures, **evidence) -> str:
    return judge(given, now=NOW, **evidence).reason


def test_nothing_known_is_grey() -> None:
    assert (state(Figures()), reason(Figures())) == ("unknown", "not tried lately")


@pytest.mark.parametrize(
    ("worked", "failed", "expected"),
    [(98, 2, "healthy"), (97, 3, "slow"), (49, 1, "healthy"), (48, 1, "slow"), (1, 0, "healthy"), (0, 2, "slow")],
)
def test_green_needs_98_percent_of_half_an_hour(worked: int, failed: int, expected: str) -> None:
    assert state(figures(worked, failed)) == expected


def test_amber_gives_its_numbers() -> None:
    assert reason(figures(47, 2)) == "47 of 49 calls worked in 30 minutes"


def test_three_failures_in_a_row_are_red_and_say_the_last_one() -> None:
    failing = figures(50, 3, failures_in_a_row=3, last_error="GPT-4.1 has no server. Your message is kept. Try again.")

    assert (state(failing), reason(failing)) == ("down", "down: GPT-4.1 has no server")
    assert state(replace(failing, failures_in_a_row=2)) == "slow"


@pytest.mark.parametrize(("minutes", "expected"), [(10, "healthy"), (11, "unknown")])
def test_grey_comes_after_ten_minutes_without_a_call(minutes: int, expected: str) -> None:
    assert state(figures(5, last_at=NOW - minutes * MINUTE)) == expected


def test_a_row_of_failures_is_grey_too_once_it_is_stale() -> None:
    assert state(figures(0, 3, failures_in_a_row=3, last_at=NOW - 11 * MINUTE)) == "unknown"


def test_cooling_is_amber_until_its_time_whatever_else_is_known() -> None:
    cooling = Cooling(NOW + MINUTE, "429")

    assert (state(figures(5), cooling=cooling), reason(figures(5), cooling=cooling)) == ("slow", "cooling (429)")
    assert state(Figures(), cooling=cooling) == "slow"
    assert judge(figures(5), now=NOW, cooling=cooling).cooling == cooling
    down = judge(figures(0, 3, failures_in_a_row=3), now=NOW, cooling=cooling)
    assert (down.state, down.cooling) == ("down", None)
    over = judge(figures(5), now=NOW + MINUTE, cooling=cooling)
    assert (over.state, over.cooling) == ("healthy", None)


def test_rate_limits_are_no_failures_but_alone_no_health_either() -> None:
    assert state(figures(50, 0, 20, limited_lately=20)) == "healthy"
    assert reason(figures(0, 0, 2, limited_lately=2)) == "over its rate limit, 2 calls refused in 10 minutes"
    assert state(figures(0, 0, 1, limited_lately=1)) == "slow"


@pytest.mark.parametrize(("p95", "usual", "expected"), [(2001, 1000, "slow"), (2000, 1000, "healthy")])
def test_a_p95_above_twice_the_usual_one_is_amber(p95: float, usual: float, expected: str) -> None:
    waits = Percentiles.of(20, 500, p95)

    assert state(figures(20, first_token_half_hour_ms=waits, usual_p95_ms=usual)) == expected


def test_too_few_waits_or_no_usual_one_say_nothing() -> None:
    assert state(figures(19, first_token_half_hour_ms=Percentiles.of(19, 500, 9000), usual_p95_ms=1000)) == "healthy"
    assert state(figures(20, first_token_half_hour_ms=Percentiles.of(20, 500, 9000))) == "healthy"


def test_the_median_wait_is_of_half_an_hour_else_of_the_day_else_unknown() -> None:
    half_hour, day = Percentiles.of(20, 500, 900), Percentiles.of(200, 700, 1900)

    assert judge(figures(first_token_half_hour_ms=half_hour, first_token_day_ms=day), now=NOW).first_token_ms == 500
    assert judge(figures(first_token_day_ms=day), now=NOW).first_token_ms == 700
    assert judge(figures(first_token_day_ms=Percentiles.of(19, 700, 1900)), now=NOW).first_token_ms is None


def test_a_failed_probe_is_red_until_it_is_stale_or_a_call_works() -> None:
    probe = Probe(LATELY, "No server answers at its address. Check it.")

    assert (state(Figures(), probe=probe), reason(Figures(), probe=probe)) == (
        "down",
        "down: No server answers at its address",
    )
    assert state(figures(5, last_worked_at=NOW), probe=probe) == "healthy"
    assert judge(Figures(), now=NOW + 10 * MINUTE, probe=probe).state == "unknown"


def test_a_probe_that_passed_ends_the_grey_and_forgives_nothing_else() -> None:
    old = NOW - 15 * MINUTE

    assert state(Figures(), probe=Probe(LATELY)) == "healthy"
    assert state(figures(0, 3, failures_in_a_row=3, last_at=old), probe=Probe(LATELY)) == "slow"


def test_headroom_counts_down_and_knows_models_without_limits() -> None:
    used = figures(requests_last_minute=7, tokens_last_minute=900)

    assert headroom(used, spec(rpm_limit=10)) == Headroom(3, 10, None, None)
    assert headroom(used, spec(tpm_limit=500)) == Headroom(None, None, 0, 500)
    assert headroom(used, spec()) is None


def test_the_first_sentence_leaves_version_numbers_whole() -> None:
    assert first_sentence("GPT-4.1 mini is over its rate limit. Try again.") == "GPT-4.1 mini is over its rate limit"


COUNTS = st.integers(0, 10_000)
ORDER = ["down", "slow", "healthy"]


@given(COUNTS, COUNTS)
def test_a_success_never_makes_a_state_worse_and_a_failure_never_better(worked: int, failed: int) -> None:
    now = ORDER.index(state(figures(worked, failed)))

    assert ORDER.index(state(figures(worked + 1, failed))) >= now
    assert ORDER.index(state(figures(worked, failed + 1))) <= now


@given(COUNTS, COUNTS, COUNTS)
def test_the_share_leaves_rate_limits_out(worked: int, failed: int, limited: int) -> None:
    calls = Calls(worked, failed, limited)

    assert calls.share == Calls(worked, failed).share
    assert calls.share is None or calls.share * calls.judged == pytest.approx(worked)


@given(COUNTS, COUNTS, st.integers(1, 10_000))
def test_headroom_is_between_nothing_and_the_limit(requests: int, tokens: int, limit: int) -> None:
    used = figures(requests_last_minute=requests, tokens_last_minute=tokens)
    left = headroom(used, spec(rpm_limit=limit, tpm_limit=limit))

    assert left is not None
    assert 0 <= (left.requests_left or 0) <= limit
    assert 0 <= (left.tokens_left or 0) <= limit


@given(st.lists(st.integers(0, 3000), min_size=1, unique=True), st.integers(1, 48))
def test_stretches_fill_the_time_from_the_first_known_state_without_gaps(minutes: list[int], hours: int) -> None:
    changes = [KnownState(f"s{ago}", "", NOW - ago * MINUTE) for ago in sorted(minutes, reverse=True)]
    since = NOW - timedelta(hours=hours)

    found = stretches(changes, since=since, until=NOW)

    assert [one.until for one in found[:-1]] == [one.since for one in found[1:]]
    assert all(since <= one.since < one.until <= NOW for one in found)
    if found:
        assert (found[0].since, found[-1].until) == (max(since, changes[0].since), NOW)
    assert bool(found) == any(change.since < NOW for change in changes)


def test_a_strip_shows_the_worst_state_of_every_hour() -> None:
    found = (
        Stretch("healthy", "", NOW - 150 * MINUTE, NOW - 70 * MINUTE),
        Stretch("down", "", NOW - 70 * MINUTE, NOW - 61 * MINUTE),
        Stretch("slow", "", NOW - 61 * MINUTE, NOW - 60 * MINUTE),
    )

    assert strip(found, until=NOW, hours=4) == ("unknown", "healthy", "down", "unknown")
    assert strip((), until=NOW) == ("unknown",) * 24


def spec(**limits: int) -> ModelSpec:
    provider = ProviderSpec(id="loop", kind="openai")
    return ModelSpec(id="a", label="A", provider=provider, upstream="a", **limits)  # type: ignore[arg-type]
