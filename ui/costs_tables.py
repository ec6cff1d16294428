"""The tables of the overview: who and what took most, tokens by bucket, and what caches saved."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.costs.reports.overview import Conversations, Overview, dearest, money_of
from core.costs.reports.totals import Spent, Totals
from ui import formats
from ui.costs_names import Names
from ui.costs_words import at_least
from ui.markdown import literal
from ui.times import local_time, viewer_zone

# Six columns of figures fit beside each other on half of a wide page.
_NAME_PX, _SHARE_PX = 120, 110
_OUTSIDE = "Outside of conversations"


def draw_dearest(overview: Overview, *, names: Names, user: User, titles: Mapping[str, str]) -> None:
    """The dearest people, models and conversations."""
    all_spent = overview.totals.spent
    tables = [("Models", "model", "Model", money_of(overview.models))]
    if len(overview.people) > 1:
        tables.insert(0, ("People", "person", "Person", dict(overview.people)))
    # Somebody's own two tables stand below each other: the titles of conversations need the room.
    columns = st.columns(2) if len(tables) > 1 else [st.container()]
    for place, (title, group, of, groups) in enumerate(tables):
        with columns[place]:
            rows, others = dearest(groups)
            named = [(names.of(group, name), spent) for name, spent in rows]
            rest = formats.counted(len(groups) - len(rows), "other")
            if others.calls:
                named.append((rest, others))
            draw_spent(title, named, of=of, total=all_spent, rest=[rest])
    found = overview.conversations
    draw_spent(
        "Conversations",
        _named(found, names=names, user=user, titles=titles),
        of="Conversation",
        total=all_spent,
        rest=[_others(found), _OUTSIDE],
    )


def draw_spent(
    title: str, rows: Sequence[tuple[str, Spent]], *, of: str, total: Spent, rest: Collection[str] = ()
) -> None:
    """A table of sums by `of` that add up to `total`, with a bar in the cell of each share but for the names in `rest`.

    A sum of calls without a price is "unpriced" and not zero.
    """
    st.subheader(title, anchor=False)
    frame = pd.DataFrame(
        {
            of: [name for name, _ in rows],
            "Spend": [known(spent) for _, spent in rows],
            # A bar for what all others took would leave none of the others one to be seen.
            "Share": [None if name in rest else share(spent.cost_usd, total.cost_usd) for name, spent in rows],
            "Calls": [spent.calls for _, spent in rows],
            "Unpriced": [spent.unpriced for _, spent in rows],
        }
    )
    frame["Spend"] = pd.to_numeric(frame["Spend"])
    formats_of: dict[Any, Any] = {"Spend": formats.dollars, "Calls": "{:,}", "Unpriced": "{:,}"}
    if not total.unpriced:
        frame = frame.drop(columns="Unpriced")
        del formats_of["Unpriced"]
    st.dataframe(
        frame.style.format(formats_of, na_rep="unpriced"),
        hide_index=True,
        placeholder="unpriced",
        column_config={
            # Two tables side by side show their last column too.
            of: st.column_config.TextColumn(width=_NAME_PX if total.unpriced else "medium"),
            "Share": share_column(frame["Share"]),
        },
        height="content",
        alt=f"{title}: spend and share of {at_least(total)}",
    )


def draw_tokens(totals: Totals) -> None:
    """Tokens by bucket: the parts of input and output add up to them."""
    st.subheader("Tokens", anchor=False)
    plain_in = totals.input_tokens - totals.cached_input_tokens - totals.cache_write_tokens
    buckets = {
        "Input": totals.input_tokens,
        "of it plain": plain_in,
        "from cache": totals.cached_input_tokens,
        "written to cache": totals.cache_write_tokens,
        "Output": totals.output_tokens,
        "of it reasoning": totals.reasoning_tokens,
    }
    with st.container(horizontal=True):
        for label, count in buckets.items():
            st.metric(label, formats.tokens(count), help=f"{count:,} tokens")


def draw_caches(totals: Totals) -> None:
    """What caches saved, and how much of everything has no price."""
    saved_usd = totals.saved_usd
    parts = [
        f"Caches saved {formats.money(saved_usd)}"
        if saved_usd >= 0
        else f"Writing to caches cost {formats.money(-saved_usd)} more than reading from them saved"
    ]
    if totals.kept_answers:
        kept = formats.money(totals.kept_answers_saved_usd)
        parts.append(f"{kept} of it with {formats.counted(totals.kept_answers, 'answer')} kept here")
    if totals.unpriced:
        part = Decimal(totals.unpriced) / totals.calls
        parts.append(f"{formats.counted(totals.unpriced, 'call')} ({part:.1%}) without a price are in no sum")
    st.caption(literal(". ".join(parts) + "."))


def share_column(shares: Iterable[float | None]) -> Any:
    """A column of bars with shares in per cent; the largest fills its cell."""
    most = max((found for found in shares if found is not None and not math.isnan(found)), default=0)
    return st.column_config.ProgressColumn(width=_SHARE_PX, format="%.2f%%", min_value=0, max_value=most or 1)


def share(part: Decimal, whole: Decimal) -> float:
    """Which part of the whole, in per cent."""
    return float(100 * part / whole) if whole else 0.0


def known(spent: Spent) -> float | None:
    """The sum; None where no call of several has a price."""
    return None if spent.calls and spent.unpriced == spent.calls else float(spent.cost_usd)


def _named(found: Conversations, *, names: Names, user: User, titles: Mapping[str, str]) -> list[tuple[str, Spent]]:
    rows = [
        (_title(titles.get(item.id), item.user_id, item.last_at, names, user), item.spent) for item in found.dearest
    ]
    if found.other_count:
        rows.append((_others(found), found.others))
    if found.outside.calls:
        rows.append((_OUTSIDE, found.outside))
    return rows


def _others(found: Conversations) -> str:
    return formats.counted(found.other_count, "other")


def _title(title: str | None, user_id: str, last_at: Any, names: Names, user: User) -> str:
    if title is not None:
        return title
    local = local_time(last_at, viewer_zone())
    whose = "Deleted" if user_id == user.id else names.of("person", user_id)
    return f"{local.day} {local:%b %Y}, {whose}"
