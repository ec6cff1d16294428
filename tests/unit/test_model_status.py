"""The status of a model in words, on the viewer's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.catalog.health import Calls, Cooling, Figures, Headroom, ModelStatus, Percentiles
from ui.model_status import status_lines

NOW = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - naive UTC, as everywhere


def lines(status: ModelStatus, zone=UTC) -> list[str]:
    return [line.replace("\\", "") for line in status_lines(status, zone=zone, now=NOW)]


def test_a_healthy_model_says_what_was_measured() -> None:
    figures = Figures(day=Calls(199, 1), tokens_per_second=Percentiles.of(30, 82.4, 99))

    assert lines(ModelStatus("healthy", "healthy", 600.0, figures=figures)) == [
        ":green[●] healthy · 0.6 s to first token · 82 tok/s · 99\u00a0% worked in 24\u00a0h"
    ]


def test_a_model_that_cools_says_until_when_on_the_viewers_clock() -> None:
    figures = Figures(last_error="A is over its rate limit. Try again.", last_error_at=NOW)
    cooling = Cooling(NOW + timedelta(minutes=32), "429")
    status = ModelStatus("slow", "cooling (429)", cooling=cooling, figures=figures)

    assert lines(status, ZoneInfo("Europe/Berlin")) == [":orange[◐] cooling until 10:32 (429)"]


def test_the_limits_say_what_is_left() -> None:
    assert lines(ModelStatus("healthy", "healthy", headroom=Headroom(480, 500, 190_000, 200_000)))[1:] == [
        "Left this minute: 480 requests, 190.0k tokens"
    ]
    assert lines(ModelStatus("healthy", "healthy", headroom=Headroom(None, None, 0, 500)))[1:] == [
        "Left this minute: 0 tokens"
    ]
    assert lines(ModelStatus("healthy", "healthy", headroom=Headroom(499, None, None, None, reported=True)))[1:] == [
        "Left, says the provider: 499 requests"
    ]


def test_the_last_error_has_its_time_and_is_not_said_twice() -> None:
    error = "A is over its rate limit. Your message is kept."
    today = Figures(last_error=error, last_error_at=NOW - timedelta(minutes=5))
    yesterday = Figures(last_error=error, last_error_at=NOW - timedelta(hours=12))

    assert lines(ModelStatus("healthy", "healthy", figures=today))[1] == "Last error 08:55: A is over its rate limit"
    assert lines(ModelStatus("healthy", "healthy", figures=yesterday))[1].startswith("Last error yesterday 21:00:")
    assert len(lines(ModelStatus("down", "down: A is over its rate limit", figures=today))) == 1


def test_what_a_provider_says_is_no_markup() -> None:
    (line,) = status_lines(ModelStatus("down", "down: :red[x] **y**"), zone=UTC, now=NOW)

    assert ":red[x]" not in line
    assert "**y**" not in line
