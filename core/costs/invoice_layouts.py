"""What a provider's export looks like, one layout each: which columns tell it, and what a row of it says.

Columns as the consoles export them in 2026: OpenAI's cost and completions usage, Anthropic's cost and usage. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from core.costs.cell_values import parse_count, parse_day, parse_money

TOKENS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")

Gives = Literal["amounts", "tokens", "both"]
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One line of a file: what a provider says of one model and one UTC day.

    `input_tokens` is the total that cached and written ones are part of; None where the file does not say. `model` is
    the provider's own name, empty where the line is about none. `item` is what the amount is for, in the file's words.
    """

    line: int
    day: date
    model: str
    item: str = ""
    amount_usd: Decimal | None = None
    calls: int | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether there is no figure in it: consoles write a line for a day without calls."""
        return self.amount_usd is None and not self.calls and not any(getattr(self, name) for name in TOKENS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A kind of export: the columns that tell it, and how a row of it reads."""

    name: str
    provider: str
    gives: Gives
    needs: frozenset[str]
    read: Callable[[int, Cells], InvoiceLine]


def _openai_cost(line: int, row: Cells) -> InvoiceLine:
    if row["amount_value"].strip() and row["amount_currency"].strip().lower() not in {"usd", ""}:
        raise ValueError(f"is in {row['amount_currency'].strip()[:12]}: only US dollars can be compared")
    # "gpt-6-luna-2026-03-01, cached input": the model, and what of it.
    model, _, item = row.get("line_item", "").partition(",")
    return InvoiceLine(
        line=line,
        day=parse_day(row.get("start_time_iso") or row["start_time"]),
        model=model.strip(),
        item=item.strip(),
        amount_usd=parse_money(row["amount_value"]),
    )


def _openai_usage(line: int, row: Cells) -> InvoiceLine:
    return InvoiceLine(
        line=line,
        day=parse_day(row.get("start_time_iso") or row["start_time"]),
        model=row["model"].strip(),
        calls=parse_count(row["num_model_requests"]),
        input_tokens=parse_count(row["input_tokens"]),
        cached_input_tokens=parse_count(row.get("input_cached_tokens", "")),
        output_tokens=parse_count(row["output_tokens"]),
    )


def _anthropic_cost(line: int, row: Cells) -> InvoiceLine:
    return InvoiceLine(
        line=line,
        day=parse_day(row["usage_date_utc"]),
        model=row["model"].strip(),
        item=row["token_type"].strip() or row.get("cost_type", "").strip(),
        amount_usd=parse_money(row["cost_usd"]),
    )


def _anthropic_usage(line: int, row: Cells) -> InvoiceLine:
    # Its input is what was neither read from the cache nor written to it; ours is the whole.
    fresh = parse_count(row["usage_input_tokens_no_cache"]) or 0
    cached = parse_count(row["usage_input_tokens_cache_read"]) or 0
    written = sum(parse_count(row.get(f"usage_input_tokens_cache_write_{kept}", "")) or 0 for kept in ("5m", "1h"))
    return InvoiceLine(
        line=line,
        day=parse_day(row["usage_date_utc"]),
        model=row["model_version"].strip(),
        input_tokens=fresh + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=parse_count(row["usage_output_tokens"]),
    )


LAYOUTS = (
    Layout(
        name="OpenAI cost export",
        provider="openai",
        gives="amounts",
        needs=frozenset({"start_time", "amount_value", "amount_currency"}),
        read=_openai_cost,
    ),
    Layout(
        name="OpenAI usage export",
        provider="openai",
        gives="tokens",
        needs=frozenset({"start_time", "num_model_requests", "model", "input_tokens", "output_tokens"}),
        read=_openai_usage,
    ),
    Layout(
        name="Anthropic cost export",
        provider="anthropic",
        gives="amounts",
        needs=frozenset({"usage_date_utc", "model", "token_type", "cost_usd"}),
        read=_anthropic_cost,
    ),
    Layout(
        name="Anthropic usage export",
        provider="anthropic",
        gives="tokens",
        needs=frozenset(
            {
                "usage_date_utc",
                "model_version",
                "usage_input_tokens_no_cache",
                "usage_input_tokens_cache_read",
                "usage_output_tokens",
            }
        ),
        read=_anthropic_usage,
    ),
)
