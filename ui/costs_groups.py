"""The groups of the explorer as a table, and their figures in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.costs.reports.explorer import NOTHING, TIMES, Cell, Explored
from core.costs.reports.totals import Totals
from ui import charts, formats
from ui.costs_names import Names
from ui.costs_tables import known, share, share_column

MEASURE_LABELS = {
    "spend": "Spend",
    "calls": "Calls",
    "input": "Tokens in",
    "output": "Tokens out",
    "unpriced": "Unpriced calls",
}


def measured(totals: Totals, measure: str) -> Decimal | int:
    """The figure of a group that it is weighed by."""
    figures: dict[str, Decimal | int] = {
        "spend": totals.cost_usd,
        "calls": totals.calls,
        "input": totals.input_tokens,
        "output": totals.output_tokens,
        "unpriced": totals.unpriced,
    }
    return figures[measure]


def value_words(group: str, value: str | datetime, names: Names) -> str:
    """What a group is called."""
    if isinstance(value, datetime):
        return charts.when(value, TIMES[group])
    return names.of(group, value)


def group_table(
    explored: Explored, *, first: str, second: str, labels: Mapping[str, str], names: Names
) -> tuple[Any, dict[str, Any]]:
    """The rows of a page with their share of all groups, and how their columns are shown."""
    rows, whole = explored.rows, explored.totals
    columns: dict[str, list[Any]] = {labels[first]: [_cell(first, cell, names) for cell in rows]}
    if second != NOTHING:
        columns[labels[second]] = [_cell(second, cell, names, second=True) for cell in rows]
    columns |= {
        "Spend": [known(cell.totals.spent) for cell in rows],
        "Share": [share(cell.totals.cost_usd, whole.cost_usd) for cell in rows],
        "Calls": [cell.totals.calls for cell in rows],
        "A call": [_a_call(cell.totals) for cell in rows],
        "Tokens in": [cell.totals.input_tokens for cell in rows],
        "Cached in": [cell.totals.cached_input_tokens for cell in rows],
        "Tokens out": [cell.totals.output_tokens for cell in rows],
    }
    if whole.unpriced:
        columns["Unpriced"] = [cell.totals.unpriced for cell in rows]
    counts = [name for name in ("Calls", "Tokens in", "Cached in", "Tokens out", "Unpriced") if name in columns]
    frame = pd.DataFrame(columns)
    # A page of nothing but unpriced groups is a column of numbers too.
    frame[["Spend", "A call"]] = frame[["Spend", "A call"]].apply(pd.to_numeric)
    style = frame.style.format(dict.fromkeys(counts, "{:,}"))
    style.format(formats.dollars, subset=["Spend", "A call"], na_rep="unpriced")
    # A name of 80 characters would leave no room for figures.
    named = {
        labels[group]: st.column_config.TextColumn(width=_NAME_PX) for group in (first, second) if group != NOTHING
    }
    return style, {**_CONFIG, **named, "Share": share_column(columns["Share"])}


_NAME_PX = 150
_CONFIG: dict[str, Any] = {
    "A call": st.column_config.Column(help="The mean of those that have a price"),
    "Unpriced": st.column_config.Column(help="Calls without a known price: in no sum"),
}


def _cell(group: str, cell: Cell, names: Names, *, second: bool = False) -> Any:
    value = cell.second if second else cell.first
    return "" if value is None else value_words(group, value, names)


def _a_call(totals: Totals) -> float | None:
    priced = totals.calls - totals.unpriced
    return float(totals.cost_usd / priced) if priced else None
