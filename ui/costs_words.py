"""Sums of money in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.costs.reports.totals import Spent
from core.costs.usage_filter import UsageFilter
from ui import formats


def exactly(spent: Spent) -> str:
    """`$1.234567890 in 12 calls, 3 unpriced`."""
    unpriced = f", {spent.unpriced:,} unpriced" if spent.unpriced else ""
    return f"{formats.exact(spent.cost_usd)} in {formats.counted(spent.calls, 'call')}{unpriced}"


def at_least(spent: Spent) -> str:
    """The sum in words: "at least" where calls without a price are among them, "unpriced" where all are.

    At least nothing would say nothing: `$0, 1 unpriced`.
    """
    if spent.calls and spent.unpriced == spent.calls:
        return "unpriced"
    if spent.unpriced and not spent.cost_usd:
        return f"{formats.money(spent.cost_usd)}, {spent.unpriced:,} unpriced"
    return f"{'at least ' if spent.unpriced else ''}{formats.money(spent.cost_usd)}"


def headline(spent: Spent) -> str:
    """`At least $1.24 in 12 calls`."""
    return f"{capital(at_least(spent))} in {formats.counted(spent.calls, 'call')}"


def capital(words: str) -> str:
    """The words as a line begins with them."""
    return f"{words[:1].upper()}{words[1:]}"


def nothing_fits(chosen: UsageFilter) -> str:
    """What to do where no call fits: without a filter there is none to clear."""
    if chosen.narrowed:
        return "No call fits. Choose a longer period or clear the filters."
    return "No call in this time. Choose a longer period, or ask something: what it takes is shown here."


def few(names: Sequence[str], *, most: int = 6) -> str:
    """Names in a sentence, the first ones where there are many: `luna, haiku and 37 more`."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
