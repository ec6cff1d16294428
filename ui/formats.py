"""Figures as people read them (DESIGN: two significant digits under a cent, "free" and "unpriced" as words)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from core.catalog.models import Hours, Prices
from core.chat.conversation import AnswerFigures
from core.costs import words

_CENT = Decimal("0.01")
# How the engine says money in its refusals.
money = words.money
exact = words.exact
_THOUSAND = 1_000
_TEN_THOUSAND = 10_000
_MILLION = 1_000_000
_MINUTE_S = 60
_SHORT_LABEL = 32
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def about(low_usd: Decimal, high_usd: Decimal) -> str:
    """What something may cost: `about $0.0021 to $0.0040`, `about $0.08` where both read the same."""
    low, high = money(low_usd), money(high_usd)
    return f"about {low}" if low == high else f"about {low} to {high}"


def cost(cost_usd: Decimal | None, code: str) -> str:
    """The cost of an answer: a figure, or the words "free" and "unpriced"; estimates say "about".

    An answer that was kept: `cached, $0`.
    """
    if cost_usd is None or code == "unpriced":
        return "unpriced"
    if code == "free":
        return "free"
    if code == "cached":
        return f"cached, {money(cost_usd)}"
    about = "about " if code in {"estimated", "partial"} else ""
    return f"{about}{money(cost_usd)}"


def tokens(count: int) -> str:
    """`1,204`, from ten thousand on `12.4k`, from a million on `1.2M`."""
    if count < _TEN_THOUSAND:
        return f"{count:,}"
    if round(count / _THOUSAND, 1) < _THOUSAND:
        return f"{count / _THOUSAND:.1f}k"
    return f"{count / _MILLION:.1f}M"


def short_label(label: str) -> str:
    """A name of at most 32 characters, for buttons and lines that hold more than it."""
    return label if len(label) <= _SHORT_LABEL else f"{label[: _SHORT_LABEL - 1].rstrip()}…"


def window(count: int | None) -> str:
    """A context window: `8k context`, `400k context`, `1M context`; "context unknown" when nobody says."""
    if count is None:
        return "context unknown"
    if count < _THOUSAND:
        return f"{count} context"
    if count < _MILLION:
        return f"{count // _THOUSAND}k context"
    return f"{count / _MILLION:.1f}M context".replace(".0M", "M")


def duration(milliseconds: float) -> str:
    """`0.6 s`, from a minute on `3 min`."""
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < _MINUTE_S else f"{seconds / _MINUTE_S:.0f} min"


def price(prices: Prices | None) -> str:
    """Prices per million tokens: `$0.25 in  $2.00 out`, "free" or "unpriced"."""
    if prices is None:
        return "unpriced"
    if prices.free:
        return "free"
    return f"{list_price(prices.input)} in, {list_price(prices.output)} out"


def tier_prices(prices: Prices | None) -> list[str]:
    """What other calls cost per million: `$5.00 in, $22.50 out above 200k`, `$0.15 in, $0.60 out off-peak`."""
    if prices is None:
        return []
    tiers = [f"{price(tier.prices)} {border(tier.above_tokens)}" for tier in prices.tiers]
    return [*tiers, f"{price(prices.off_peak.prices)} off-peak"] if prices.off_peak else tiers


def border(above_tokens: int) -> str:
    """Where a tier begins: `above 200k`, also at providers where 200,000 tokens themselves are in it."""
    return f"above {window(above_tokens + 1).removesuffix(' context')}"


def off_peak_hours(hours: Sequence[Hours]) -> str:
    """When off-peak is: `Mon to Fri 00:00 to 01:00, 04:00 to 06:00 UTC; Sat, Sun all day`."""
    by_days: dict[tuple[frozenset[int], str], list[str]] = {}
    for part in hours:
        by_days.setdefault((part.weekdays, part.zone), []).append(_times(part))
    return "; ".join(f"{_days(days)}{_calendar(zone)}{', '.join(times)}" for (days, zone), times in by_days.items())


def _times(part: Hours) -> str:
    if part.since == part.until:
        return "all day"
    since, until = (f"{minute // 60:02}:{minute % 60:02}" for minute in (part.since, part.until))
    return f"{since} to {until} UTC"


def _days(weekdays: frozenset[int]) -> str:
    first, last = min(weekdays), max(weekdays)
    if len(weekdays) == len(_WEEKDAYS):
        return ""
    if last - first >= 2 and weekdays == set(range(first, last + 1)):  # noqa: PLR2004
        return f"{_WEEKDAYS[first - 1]} to {_WEEKDAYS[last - 1]} "
    return f"{', '.join(_WEEKDAYS[day - 1] for day in sorted(weekdays))} "


def _calendar(zone: str) -> str:
    return "" if zone == "UTC" else f"({zone}) "


def short_price(prices: Prices | None) -> str:
    """Prices in and out per million as one cell of a list: `$0.25 / $2.00`, "free" or "unpriced"."""
    return price(prices).replace(" in, ", " / ").removesuffix(" out")


def answer_line(figures: AnswerFigures) -> str:
    """What an answer took: tokens in and out, cost, time to first token, speed; and what a cache saved."""
    kept = figures.cost_code == "cached"
    aside = [f"{tokens(figures.cached_input_tokens)} cached"] if figures.cached_input_tokens else []
    parts = [
        f"{tokens(figures.input_tokens)} in{_in_brackets(aside if kept else aside + _saved(figures))}",
        f"{tokens(figures.output_tokens)} out",
        cost(figures.cost_usd, figures.cost_code),
    ]
    if kept:
        # Its time and speed are those of the store, and say nothing about the model.
        return " · ".join(parts + _saved(figures))
    if figures.first_token_ms is not None:
        parts.append(f"{duration(figures.first_token_ms)} to first token")
    if figures.tokens_per_second is not None:
        parts.append(f"{figures.tokens_per_second:.0f} tok/s")
    return " · ".join(parts)


def _saved(figures: AnswerFigures) -> list[str]:
    # The first question of a long conversation pays for the cache that the next ones read.
    saved_usd = figures.cache_saved_usd
    if not saved_usd:
        return []
    return [f"{money(saved_usd)} saved" if saved_usd > 0 else f"{money(-saved_usd)} extra to cache it"]


def _in_brackets(words: list[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def list_price(amount_usd: Decimal) -> str:
    """A price of a list, with cents and what comes after them: `$2.00`, `$0.075`; under a cent as `money`."""
    if amount_usd < _CENT:
        return money(amount_usd)
    whole, _, places = f"{amount_usd:,.4f}".partition(".")
    return f"${whole}.{places[:2]}{places[2:].rstrip('0')}"


def counted(number: int, thing: str) -> str:
    """A number with its noun: `1 call`, `1,204 calls`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def dollars(value: Any) -> str:
    """A sum in a table, which holds floats."""
    return money(Decimal(repr(float(value))))
