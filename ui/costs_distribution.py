"""How much calls take: a histogram and percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.reports.distribution import (
    FEWEST,
    MEASURED,
    Distribution,
    Percentiles,
    load_distribution,
    load_percentiles,
)
from core.costs.usage_filter import UsageFilter
from ui import charts, costs_view, formats
from ui.costs_names import GROUP_LABELS, Names
from ui.histogram import HistogramBar, histogram
from ui.markdown import literal

_MEASURED = "costs_measured"
_LABELS = {"cost": "Cost", "first_token": "First token", "duration": "Duration", "tokens": "Tokens"}
_UNITS: Mapping[str, charts.Unit] = {"cost": "usd", "first_token": "ms", "duration": "ms", "tokens": "count"}
_NOTHING = "No call that can be measured. Choose a longer period or clear the filters."
_WHAT = {
    "cost": "calls with a known price",
    "first_token": "calls that brought a first token",
    "duration": "whole answers",
    "tokens": "whole answers, input and output together",
}


def draw_distribution(services: Services, user: User, chosen: UsageFilter, *, names: Names, by: str) -> None:
    """Draw the histogram of one thing measured, and the percentiles of all four by group."""
    costs_view.seed("of", _MEASURED, [*MEASURED], default="cost")
    st.segmented_control(
        "Of", [*MEASURED], key=_MEASURED, required=True, format_func=_LABELS.__getitem__, label_visibility="collapsed"
    )
    measured = costs_view.keep("of", _MEASURED, default="cost")
    found, groups = services.ledger.snapshot(
        lambda cur: (
            load_distribution(cur, chosen, viewer=user, measured=measured),
            load_percentiles(cur, chosen, viewer=user, by=by, measured=measured),
        )
    )
    if not found.percentiles.count:
        st.info(_NOTHING, icon=":material/search_off:")
        return
    _draw_histogram(found, measured)
    _draw_percentiles(groups, measured, by=by, names=names)


def words(measured: str, value: float | None) -> str:
    """A value in its unit: dollars, a time, tokens."""
    if value is None:
        return "too few"
    if measured == "cost":
        return formats.money(Decimal(repr(value)))
    return formats.tokens(round(value)) if measured == "tokens" else formats.duration(value)


def _draw_histogram(found: Distribution, measured: str) -> None:
    at = found.percentiles
    figures = {"p50": at.p50, "p95": at.p95, "p99": at.p99, "Most": found.most}
    with st.container(horizontal=True):
        for label, value in figures.items():
            st.metric(label, literal(words(measured, value)))
    bars = [
        HistogramBar(
            low=item.low,
            high=item.high,
            calls=item.calls,
            words=f"{words(measured, item.low)} to {words(measured, item.high)}",
        )
        for item in found.bins
    ]
    marks = {name: value for name, value in figures.items() if name != "Most" and value}
    alt = f"{_LABELS[measured]} of {formats.counted(at.count, 'call')}: " + ", ".join(
        f"{name} {words(measured, value)}" for name, value in figures.items()
    )
    if bars:
        st.altair_chart(histogram(bars, marks, unit=_UNITS[measured]), alt=alt)
    zeros = f" {formats.counted(found.zeros, 'call')} took nothing and stand in no bar." if found.zeros else ""
    few = f" Percentiles need {FEWEST} calls." if at.count < FEWEST else ""
    st.caption(f"{at.count:,} {_WHAT[measured]}.{zeros}{few}")


def _draw_percentiles(groups: Mapping[str, Percentiles], measured: str, *, by: str, names: Names) -> None:
    rows = [(names.of(by, name), found) for name, found in groups.items()]
    frame = pd.DataFrame(
        {
            GROUP_LABELS[by]: [name for name, _ in rows],
            "Calls": [found.count for _, found in rows],
            "p50": [found.p50 for _, found in rows],
            "p95": [found.p95 for _, found in rows],
            "p99": [found.p99 for _, found in rows],
        }
    ).astype({"p50": float, "p95": float, "p99": float})
    style = frame.style.format({"Calls": "{:,}"})
    style.format(lambda value: words(measured, float(str(value))), subset=["p50", "p95", "p99"], na_rep="too few")
    title: dict[str, Any] = {GROUP_LABELS[by]: st.column_config.TextColumn(width="medium")}
    st.dataframe(style, hide_index=True, column_config=title, alt=f"Percentiles of {_LABELS[measured].lower()} by {by}")
