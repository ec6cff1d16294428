"""The strip of a model's last 24 hours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.catalog.status_history import Stretch
from ui.status_strip import change_lines, strip_chart, strip_image

NOW = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - naive UTC, as everywhere
FOUND = (
    Stretch("healthy", "healthy", NOW - timedelta(hours=20), NOW - timedelta(hours=1)),
    Stretch("down", "down: A failed", NOW - timedelta(hours=1), NOW),
)


def test_the_newest_change_comes_first_with_its_time_and_reason() -> None:
    lines = [line.replace("\\", "") for line in change_lines(FOUND, zone=UTC, now=NOW)]

    assert lines == [":red[○] from 08:00 down: A failed", ":green[●] from yesterday 13:00 healthy"]


def test_only_the_last_changes_are_told() -> None:
    assert len(change_lines(FOUND * 10, zone=UTC, now=NOW)) == 5


def test_the_chart_is_on_the_viewers_clock_and_gives_every_state_its_colour() -> None:
    chart = strip_chart(FOUND, zone=ZoneInfo("Europe/Berlin")).to_dict()

    assert [(bar["state"], bar["since"]) for bar in chart["data"]["values"]] == [
        ("healthy", "2026-11-22T14:00:00"),
        ("down", "2026-11-23T09:00:00"),
    ]
    assert dict(zip(*(chart["encoding"]["color"]["scale"][part] for part in ("domain", "range")), strict=True)) == {
        "healthy": "#3CA951",
        "slow": "#EFB118",
        "down": "#FF725C",
        "not tried": "#9498A0",
    }


def test_the_picture_joins_equal_hours_and_shortens_the_bar_of_what_is_worse() -> None:
    url = strip_image(("unknown", "healthy", "healthy", "slow", "down"))
    head, _, svg = url.partition(",")
    bars = [(int(width), int(height)) for width, height in re.findall(r"<rect .*?width='(\d+)' height='(\d+)'", svg)]

    assert head == "data:image/svg+xml;utf8"
    assert bars == [(4, 2), (8, 16), (4, 10), (4, 5)]
