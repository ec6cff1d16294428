"""Days, weeks and months on the calendars of time zones, across clock changes and month ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.periods import PERIODS, period_end, period_start

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # its clocks changed at midnight, so that some days had none
    "America/Havana",  # its clocks change so that midnight comes twice
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",  # skipped a whole day
    "Asia/Kathmandu",
)
MOMENTS = st.datetimes(min_value=datetime(2005, 1, 1), max_value=datetime(2035, 12, 31))  # noqa: DTZ001 - naive UTC
ANY = given(moment=MOMENTS, period=st.sampled_from(PERIODS), zone=st.sampled_from(ZONES).map(ZoneInfo))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


@ANY
def test_a_moment_is_in_its_period(moment, period, zone):
    assert period_start(moment, period, zone) <= moment < period_end(moment, period, zone)


@ANY
def test_periods_follow_each_other_without_a_gap(moment, period, zone):
    end = period_end(moment, period, zone)

    assert period_start(end, period, zone) == end
    assert period_end(end - timedelta(microseconds=1), period, zone) == end


@ANY
def test_every_moment_of_a_period_has_the_same_start(moment, period, zone):
    start, end = period_start(moment, period, zone), period_end(moment, period, zone)
    middle = start + (end - start) / 2

    assert period_start(start, period, zone) == period_start(middle, period, zone) == start


@ANY
def test_a_period_begins_on_its_first_day_on_the_calendar(moment, period, zone):
    local = period_start(moment, period, zone).replace(tzinfo=UTC).astimezone(zone)

    assert period != "month" or local.day == 1
    assert period != "week" or local.weekday() == 0 or zone.key == "Pacific/Apia"
    # Where the clocks skip midnight, the first moment of the day is later.
    assert local.hour <= 1


@pytest.mark.parametrize(
    ("moment", "period", "start", "end"),
    [
        ("2026-03-29T10:00", "day", "2026-03-28T23:00", "2026-03-29T22:00"),  # 23 hours: the clocks go forward
        ("2026-10-25T10:00", "day", "2026-10-24T22:00", "2026-10-25T23:00"),  # 25 hours: the clocks go back
        ("2026-10-31T23:30", "month", "2026-10-31T23:00", "2026-11-30T23:00"),  # November has begun in Berlin
        ("2026-12-31T22:59", "month", "2026-11-30T23:00", "2026-12-31T23:00"),
        ("2028-02-29T12:00", "month", "2028-01-31T23:00", "2028-02-29T23:00"),
        ("2027-01-03T12:00", "week", "2026-12-27T23:00", "2027-01-03T23:00"),  # a week over the turn of the year
    ],
)
def test_periods_in_berlin(moment, period, start, end):
    zone = ZoneInfo("Europe/Berlin")

    assert period_start(utc(moment), period, zone) == utc(start)
    assert period_end(utc(moment), period, zone) == utc(end)


def test_a_day_without_midnight_begins_with_its_first_moment():
    zone = ZoneInfo("America/Sao_Paulo")

    assert period_start(utc("2018-11-04T12:00"), "day", zone) == utc("2018-11-04T03:00")  # 01:00 there
