"""What is seen in the explorer as files: the groups, and the calls behind them."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from functools import partial

import streamlit as st

from core.accounts.users import User, list_users
from core.bootstrap import Services
from core.costs.reports.download import MOST_CALLS, download_calls
from core.costs.reports.explorer import NOTHING, Cell, explore
from core.costs.usage_filter import UsageFilter
from core.costs.usage_period import days_of
from core.spreadsheet import safe_cell
from core.store.export_file import FileFormat
from ui.costs_groups import value_words
from ui.costs_names import Names

# A year of days by every model of a large registry.
_MOST_GROUPS = 100_000
_FIGURES = ("cost_usd", "calls", "unpriced_calls", "input_tokens", "cached_input_tokens", "output_tokens")
_FORMATS: tuple[tuple[str, FileFormat, str], ...] = (
    ("Calls as CSV", "csv", "text/csv"),
    ("Calls as Parquet", "parquet", "application/vnd.apache.parquet"),
)


def draw_downloads(
    services: Services, user: User, chosen: UsageFilter, first: str, second: str, *, names: Names, calls: int
) -> None:
    """Three buttons. A file is made when somebody asks for it."""
    span = "_".join(day.isoformat() for day in days_of(chosen.since, chosen.until, zone=chosen.zone))
    more = f" The first {MOST_CALLS:,} of {calls:,}." if calls > MOST_CALLS else ""
    with st.container(horizontal=True):
        st.download_button(
            "Table as CSV",
            data=partial(_groups_csv, services, user, chosen, first=first, second=second, names=names),
            file_name=f"usage_by_{first}_{span}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        for label, file_format, mime in _FORMATS:
            st.download_button(
                label,
                data=partial(_calls, services, user, chosen, file_format),
                file_name=f"calls_{span}.{file_format}",
                mime=mime,
                icon=":material/download:",
                help=f"Every call with its exact cost, UTC times. No texts.{more}",
                on_click="ignore",
            )


def _calls(services: Services, user: User, chosen: UsageFilter, file_format: FileFormat) -> bytes:
    people = list_users(services.database) if user.is_admin else [user]
    usernames = {person.id: person.username for person in people}
    return download_calls(services.ledger, chosen, viewer=user, file_format=file_format, usernames=usernames)


def _groups_csv(services: Services, user: User, chosen: UsageFilter, *, first: str, second: str, names: Names) -> bytes:
    explored = services.ledger.snapshot(
        lambda cur: explore(cur, chosen, viewer=user, first=first, second=second, page_rows=_MOST_GROUPS)
    )
    text = io.StringIO()
    writer = csv.writer(text)
    heads = [first] if second == NOTHING else [first, second]
    writer.writerow([*heads, *_FIGURES])
    for cell in explored.rows:
        writer.writerow([*_named(cell, first, second, names), *_figures(cell)])
    return text.getvalue().encode("utf-8-sig")


def _named(cell: Cell, first: str, second: str, names: Names) -> list[str]:
    pairs = [(first, cell.first)] if second == NOTHING else [(first, cell.first), (second, cell.second)]
    return [
        value.isoformat() if isinstance(value, datetime) else safe_cell(value_words(group, value or "", names))
        for group, value in pairs
    ]


def _figures(cell: Cell) -> list[object]:
    found = cell.totals
    tokens = (found.input_tokens, found.cached_input_tokens, found.output_tokens)
    return [f"{found.cost_usd:f}", found.calls, found.unpriced, *tokens]
