"""Filters of the cost pages: addresses there and back, whose calls they find, days on the viewer's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.local_days import day_begins, local_date, shifts
from core.costs.usage_filter import COLUMNS, UsageFilter, clause
from core.costs.usage_period import PERIODS, days_of, month_after, month_before, period, span_of
from core.costs.usage_url import from_parameters, to_parameters
from core.errors import UsageFilterError

NOW = datetime(2026, 11, 29, 15, 0)  # noqa: DTZ001 - naive UTC, as everywhere in the store
# With half hours, with a change of half an hour, with midnight skipped, with no change, a day apart.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Asia/Beirut",
        "Africa/Casablanca",
        "Pacific/Kiritimati",
        "UTC",
    )
]
zones = st.sampled_from(ZONES)
days = st.dates(date(2021, 1, 1), date(2030, 1, 1))
names = st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20), max_size=3, unique=True)


@dataclass(frozen=True)
class Viewer:
    id: str
    is_admin: bool


@given(zone=zones, first=days, length=st.integers(0, 500), lists=st.fixed_dictionaries(dict.fromkeys(COLUMNS, names)))
def test_an_address_says_what_the_filter_says(zone, first, length, lists):
    since, until = span_of(first, first + timedelta(days=length), zone=zone)
    chosen = UsageFilter(since=since, until=until, zone=zone, **{name: tuple(found) for name, found in lists.items()})

    asked = from_parameters(to_parameters(chosen, name=None), zone=zone, now=NOW)

    assert asked.chosen == chosen
    assert asked.name is None


@pytest.mark.parametrize("name", PERIODS)
def test_a_named_period_moves_on_with_the_days(name):
    asked = from_parameters({"period": [name]}, zone=ZONES[0], now=NOW)
    later = from_parameters({"period": [name]}, zone=ZONES[0], now=NOW + timedelta(days=40))

    assert from_parameters(to_parameters(asked.chosen, name=name), zone=ZONES[0], now=NOW) == asked
    assert later.chosen.until > asked.chosen.until


@pytest.mark.parametrize(
    "parameters",
    [
        {"period": ["yesteryear"]},
        {"from": ["2026-02-30"], "to": ["2026-03-01"]},
        {"from": ["2026-03-01"]},
        {"from": ["2026-03-02"], "to": ["2026-03-01"]},
        {"from": ["0001-01-01"], "to": ["9999-12-31"]},
        {"model": ["a\nb"]},
        {"model": ["x" * 201]},
        {"person": [str(number) for number in range(201)]},
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(parameters):
    with pytest.raises(UsageFilterError, match="which is not") as refused:
        from_parameters(parameters, zone=UTC, now=NOW)

    assert refused.value.next_step


@given(users=names)
def test_a_member_is_always_the_only_user(users):
    chosen = UsageFilter(since=NOW, until=NOW, users=tuple(users))

    found = clause(chosen, viewer=Viewer("bob", is_admin=False))

    assert [value for name, value in found.parameters.items() if name.startswith("users")] == ["bob"]
    assert "user_id in ($users_0)" in found.sql


@given(value=st.text(max_size=30))
def test_no_value_becomes_part_of_the_statement(value):
    chosen = UsageFilter(since=NOW, until=NOW, models=(value,))

    found = clause(chosen, viewer=Viewer("ann", is_admin=True))

    assert found.parameters["models_0"] == value
    assert found.sql == (
        "(started_at >= $since and started_at < $until and coalesce(served_model, requested_model) in ($models_0))"
    )


@given(zone=zones, day=days)
def test_a_day_begins_where_its_date_does(zone, day):
    begins, ends = day_begins(day, zone), day_begins(day + timedelta(days=1), zone)

    assert local_date(begins, zone) == day
    assert local_date(ends - timedelta(microseconds=1), zone) == day
    assert timedelta(hours=22) <= ends - begins <= timedelta(hours=26)


@given(zone=zones, since=st.datetimes(datetime(2021, 1, 1), datetime(2029, 1, 1)), hours=st.integers(1, 20_000))  # noqa: DTZ001
def test_shifts_tell_the_local_time_of_every_moment(zone, since, hours):
    until = since + timedelta(hours=hours)
    found = shifts(since, until, zone)
    step = max(timedelta(minutes=7), (until - since) / 50)

    assert found[0].since == since
    assert all(one.offset != after.offset and one.since < after.since for one, after in pairwise(found))
    for count in range(50):
        moment = since + step * count
        if moment < until:
            offset = next(shift.offset for shift in reversed(found) if shift.since <= moment)
            assert offset == moment.replace(tzinfo=UTC).astimezone(zone).utcoffset()


@given(day=days)
def test_months_follow_each_other(day):
    assert month_after(month_before(day)) == day.replace(day=1)


@given(zone=zones, name=st.sampled_from(PERIODS))
def test_periods_are_whole_days_up_to_today(zone, name):
    since, until = period(name, zone=zone, now=NOW)
    first, last = days_of(since, until, zone=zone)

    assert span_of(first, last, zone=zone) == (since, until)
    assert last <= local_date(NOW, zone)
