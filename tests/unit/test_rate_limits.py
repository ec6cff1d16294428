"""What the headers of an answer say about rate limits, and how long that holds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.health import Figures, Headroom, headroom
from core.catalog.models import ModelSpec, ProviderSpec
from core.catalog.rate_limits import HeardLimits, Left, Said, parse_limits
from tests.support.moving_clock import MovingClock

NOW = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - naive UTC, as everywhere
OPENAI = {
    "X-RateLimit-Limit-Requests": "500",
    "X-RateLimit-Remaining-Requests": "499",
    "X-RateLimit-Reset-Requests": "2m0s",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-tokens": "29976",
    "x-ratelimit-reset-tokens": "6ms",
}
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-23T09:00:30Z",
    "anthropic-ratelimit-tokens-limit": "80000",
    "anthropic-ratelimit-tokens-remaining": "79000",
    "anthropic-ratelimit-tokens-reset": "2026-11-23T09:00:02Z",
}


def in_(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_openai_says_requests_and_tokens() -> None:
    assert parse_limits(OPENAI, now=NOW) == Said(
        Left(499, 500, in_(120), in_(120)), Left(29976, 30000, in_(0.006), in_(60))
    )


def test_anthropic_says_when_in_dates() -> None:
    assert parse_limits(ANTHROPIC, now=NOW) == Said(Left(49, 50, in_(30), in_(60)), Left(79000, 80000, in_(2), in_(60)))


def test_the_names_that_litellm_gives_are_the_providers() -> None:
    made_up = {"x-ratelimit-remaining-requests": "1"}
    marked = {f"llm_provider-{name.lower()}": value for name, value in OPENAI.items()}

    assert parse_limits(made_up | marked, now=NOW) == parse_limits(OPENAI, now=NOW)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("1s", 1),
        ("59.56s", 59.56),
        ("1h2m3.5s", 3723.5),
        ("1d", 86400),
        ("9d", 86400),
        ("7", 7),
        ("1.5", 1.5),
        ("250ms", 0.25),
        (str(int((NOW - datetime(1970, 1, 1)).total_seconds()) + 40), 40),  # noqa: DTZ001
        (str((int((NOW - datetime(1970, 1, 1)).total_seconds()) + 40) * 1000), 40),  # noqa: DTZ001
        ("Mon, 23 Nov 2026 09:00:20 GMT", 20),
        ("2026-11-23T08:00:00Z", 0),
        ("", 60),
        ("soon", 60),
    ],
)
def test_a_reset_comes_in_many_forms(reset: str, seconds: float) -> None:
    said = parse_limits({"x-ratelimit-remaining": "3", "x-ratelimit-reset": reset}, now=NOW)

    assert said.requests is not None
    assert (said.requests.reset - NOW).total_seconds() == pytest.approx(seconds, abs=1e-3)


def test_a_refusal_that_says_when_to_come_back_leaves_nothing_until_then() -> None:
    assert parse_limits({"Retry-After": "7"}, now=NOW) == Said(Left(0, None, in_(7), in_(7)), refused=True)
    assert parse_limits({"Retry-After": "7", **OPENAI}, now=NOW) == parse_limits(OPENAI, now=NOW)


@pytest.mark.parametrize("remaining", ["", "many", "-1", "nan", "1e9", "9" * 40, "٣"])
def test_what_is_no_number_says_nothing(remaining: str) -> None:
    assert parse_limits({"x-ratelimit-remaining-requests": remaining}, now=NOW) == Said()


NAMES = st.sampled_from(
    [*map(str.lower, OPENAI), *ANTHROPIC, "x-ratelimit-reset", "x-ratelimit-remaining", "retry-after"]
)
VALUES = st.text() | st.from_regex(r"[0-9.]{0,20}(ms|s|m|h|d)?", fullmatch=True) | st.datetimes().map(str)


@given(st.dictionaries(NAMES, VALUES))
def test_whatever_a_provider_sends_is_understood_or_left_out(headers: dict[str, str]) -> None:
    said = parse_limits(headers, now=NOW)

    for left in (said.requests, said.tokens):
        if left is not None:
            assert left.remaining >= 0
            assert NOW <= left.reset <= left.until <= NOW + timedelta(days=1)


def test_what_was_said_holds_until_the_reset_then_the_limit_is_whole_then_nothing_is_known() -> None:
    clock = MovingClock()
    heard = HeardLimits(clock=clock)
    assert heard.headroom("a") is None
    heard.hear(
        "a", {**ANTHROPIC, "anthropic-ratelimit-requests-reset": "30s", "anthropic-ratelimit-tokens-reset": "2s"}
    )

    assert heard.headroom("a") == Headroom(49, 50, 79000, 80000, reported=True)
    clock.advance(seconds=2)
    assert heard.headroom("a") == Headroom(49, 50, 80000, 80000, reported=True)
    clock.advance(seconds=58)
    assert heard.headroom("a") is None


def test_an_answer_that_names_one_limit_leaves_what_is_known_of_the_other() -> None:
    heard = HeardLimits(clock=MovingClock())
    heard.hear("a", OPENAI)
    heard.hear("a", {"x-ratelimit-remaining-requests": "12"})
    heard.hear("a", {"content-type": "text/event-stream"})

    left = heard.headroom("a")
    assert left is not None
    assert (left.requests_left, left.requests_limit, left.tokens_left) == (12, None, 29976)


def test_an_answer_overtakes_a_refusal_that_only_said_when_to_come_back() -> None:
    heard = HeardLimits(clock=MovingClock())
    heard.hear("a", {"retry-after": "30"})
    assert heard.headroom("a") == Headroom(0, None, None, None, reported=True)

    heard.hear("a", {})
    assert heard.headroom("a") is not None
    heard.hear("a", {"content-type": "text/event-stream"})
    assert heard.headroom("a") is None


def test_the_providers_word_goes_before_our_own_count() -> None:
    provider = ProviderSpec(id="loop", kind="openai")
    model = ModelSpec(id="a", label="A", provider=provider, upstream="a", rpm_limit=100, tpm_limit=1000)
    used = Figures(requests_last_minute=10, tokens_last_minute=100)
    unlimited = ModelSpec(id="b", label="B", provider=provider, upstream="b")

    said = Headroom(3, 60, None, None, reported=True)

    assert headroom(used, model, reported=said) == Headroom(3, 60, 900, 1000, reported=True)
    assert headroom(used, unlimited, reported=said) == said
    assert headroom(used, model) == Headroom(90, 100, 900, 1000)
