"""What providers say is left of their rate limits, from the headers of their answers. The parsing is pure.

OpenAI's form is `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, which Groq, Azure and many servers share;
OpenRouter leaves the last word out and means requests. Anthropic's is `anthropic-ratelimit-{requests,tokens}-{...}`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from core.catalog.health import Headroom
from core.clock import Clock, utc_now
from core.shared.journal import ALONE, Event, Journal

# What no header gives an end holds for a minute: limits are per minute nearly everywhere.
_HELD = timedelta(minutes=1)
# A provider may name any moment, also one in another year.
_LONGEST = timedelta(days=1)
# LiteLLM marks so what is the provider's own, beside names that it made up.
_LITELLM_MARK = "llm_provider-"
# A reset that is larger is a moment since 1970 and not a time to wait: in seconds, then in milliseconds.
_EPOCH_S = 1e9
_EPOCH_MS = 1e12
_MOST_DIGITS = 15

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d*)?)s)?(?:(\d+(?:\.\d*)?)ms)?")
_NUMBER = re.compile(r"\d+(?:\.\d*)?")
# Header names by limit, in the order of preference: (remaining, limit, reset).
_NAMES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "requests": (
        ("x-ratelimit-remaining-requests", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests"),
        (
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-reset",
        ),
        ("x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset"),
    ),
    "tokens": (
        ("x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens", "x-ratelimit-reset-tokens"),
        (
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-reset",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one limit until it is whole again at `reset`, and whole until `until`; both naive UTC."""

    remaining: int
    limit: int | None
    reset: datetime
    until: datetime

    def at(self, now: datetime) -> int | None:
        """What is left at a moment; None when nothing is known any more."""
        if now < self.reset:
            return self.remaining
        return self.limit if now < self.until else None


@dataclass(frozen=True, slots=True)
class Said:
    """What one answer said; None for a limit that it did not name. `refused`: only that it is too early."""

    requests: Left | None = None
    tokens: Left | None = None
    refused: bool = False


def parse_limits(headers: Mapping[str, str], *, now: datetime) -> Said:
    """What the headers of an answer say. Never raises: what is not understood is left out. `now` is naive UTC.

    A refusal that only says when to come back (`retry-after`) means that no request is left until then.
    """
    plain = _own_names(headers)
    requests, tokens = (_left(plain, _NAMES[kind], now=now) for kind in ("requests", "tokens"))
    if requests is None and tokens is None and (wait := _moment(plain.get("retry-after", ""), now=now)):
        return Said(Left(0, None, wait, wait), refused=True)
    return Said(requests, tokens)


class HeardLimits:
    """What providers said last, by model, in memory; to whichever replica. Safe to use from any thread."""

    def __init__(self, *, clock: Clock = utc_now, journal: Journal = ALONE) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, Said] = {}
        self._journal = journal
        journal.on("said", self._hear_said)

    def hear(self, model_id: str, headers: Mapping[str, str]) -> None:
        """Take in the headers of an answer or a refusal."""
        if not headers:
            return  # nobody answered
        said = parse_limits(headers, now=self._clock())
        self._take(model_id, said)
        if said != Said():
            self._journal.tell({"kind": "said", "model": model_id, "said": _to_json(said)})

    def _hear_said(self, event: Event, _by: str) -> None:
        self._take(event["model"], _from_json(event["said"]))

    def _take(self, model_id: str, said: Said) -> None:
        with self._lock:
            before = self._said.get(model_id, Said())
            # Whatever comes after a refusal overtakes it; what names one limit leaves the other as it was.
            requests = said.requests or (None if before.refused else before.requests)
            self._said[model_id] = Said(requests, said.tokens or before.tokens, said.refused)

    def headroom(self, model_id: str) -> Headroom | None:
        """What is left by the provider's last word, None in what it did not say or what is too old."""
        said, now = self._said.get(model_id), self._clock()
        if said is None:
            return None
        requests, tokens = (None if left is None else left.at(now) for left in (said.requests, said.tokens))
        if requests is None and tokens is None:
            return None
        return Headroom(
            requests,
            None if requests is None or said.requests is None else said.requests.limit,
            tokens,
            None if tokens is None or said.tokens is None else said.tokens.limit,
            reported=True,
        )


def _to_json(said: Said) -> dict[str, Any]:
    return {
        "refused": said.refused,
        **{
            kind: None if left is None else {**asdict(left), "reset": str(left.reset), "until": str(left.until)}
            for kind, left in (("requests", said.requests), ("tokens", said.tokens))
        },
    }


def _from_json(row: Mapping[str, Any]) -> Said:
    requests, tokens = (
        None
        if (left := row[kind]) is None
        else Left(
            left["remaining"],
            left["limit"],
            datetime.fromisoformat(left["reset"]),
            datetime.fromisoformat(left["until"]),
        )
        for kind in ("requests", "tokens")
    )
    return Said(requests, tokens, row["refused"])


def _own_names(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by lower-case name; what is marked as the provider's own goes before LiteLLM's."""
    lower = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    marked = {
        name.removeprefix(_LITELLM_MARK): value for name, value in lower.items() if name.startswith(_LITELLM_MARK)
    }
    return lower | marked


def _left(headers: Mapping[str, str], names: tuple[tuple[str, str, str], ...], *, now: datetime) -> Left | None:
    for remaining_name, limit_name, reset_name in names:
        remaining = _count(headers.get(remaining_name, ""))
        if remaining is not None:
            reset = _moment(headers.get(reset_name, ""), now=now) or now + _HELD
            return Left(remaining, _count(headers.get(limit_name, "")), reset, max(reset, now + _HELD))
    return None


def _count(text: str) -> int | None:
    if len(text) > _MOST_DIGITS or not _NUMBER.fullmatch(text) or not text.isascii():
        return None
    return int(float(text))


def _moment(text: str, *, now: datetime) -> datetime | None:
    """When a reset is: a time to wait ("6m0s", "12ms", "7", "1.5"), seconds or milliseconds since 1970, or a date."""
    if not text or len(text) > 64 or not text.isascii():  # noqa: PLR2004 - longer than any date
        return None
    wait_s = _wait_s(text, now=now)
    if wait_s is None:
        return None
    return now + timedelta(seconds=min(max(wait_s, 0.0), _LONGEST.total_seconds()))


def _wait_s(text: str, *, now: datetime) -> float | None:
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number < _EPOCH_S:
            return number
        return number / (1000 if number >= _EPOCH_MS else 1) - now.replace(tzinfo=UTC).timestamp()
    if duration := _DURATION.fullmatch(text):
        days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in duration.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + milliseconds / 1000
    return _until(text, now=now)


def _until(text: str, *, now: datetime) -> float | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - now.replace(tzinfo=UTC)).total_seconds()
    return None
