"""The explorer of the cost pages: calls grouped by any two things as chart and table, down to the calls themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.local_days import grain_for
from core.costs.reports.explorer import NOTHING, PAGE_ROWS, TIMES, Cell, Explored, explore, narrowed
from core.costs.reports.totals import total
from core.costs.usage_filter import UsageFilter
from ui import charts, costs_view, formats
from ui.costs_calls import draw_calls
from ui.costs_distribution import draw_distribution
from ui.costs_downloads import draw_downloads
from ui.costs_groups import MEASURE_LABELS, group_table, measured, value_words
from ui.costs_names import GROUP_LABELS, Names
from ui.costs_values import load_names
from ui.costs_words import at_least, exactly, headline, nothing_fits
from ui.markdown import literal
from ui.unbroken import unbroken

_FIRST, _SECOND, _MEASURE, _SHOWN = "costs_first", "costs_second", "costs_measure", "costs_shown"
_PER = "costs_percentiles_per"
_PAGE, _PICKED = "costs_groups_page", "costs_picked"
_CHART, _TABLE, _PICK = "costs_chart", "costs_table", "pick"
_SUMS, _DISTRIBUTIONS = "sums", "distributions"
_SHOWN_LABELS = {_SUMS: "Sums", _DISTRIBUTIONS: "Distributions"}
_TIME_LABELS = {"hour": "Hour", "day": "Day", "week": "Week"}
_LABELS = {**GROUP_LABELS, **_TIME_LABELS, NOTHING: "Nothing else"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """How the calls are grouped and weighed."""

    first: str
    second: str
    measure: str


def draw_explorer(services: Services, user: User, chosen: UsageFilter) -> None:
    """Draw the controls, the chart and the table of the same groups, and the calls of the one picked."""
    names = load_names(services, user)
    shown, view = _draw_controls(user, chosen)
    if shown == _DISTRIBUTIONS:
        draw_distribution(services, user, chosen, names=names, by=view.first)
        return
    page = _page(chosen, view)
    explored = services.ledger.snapshot(
        lambda cur: explore(
            cur, chosen, viewer=user, first=view.first, second=view.second, measure=view.measure, page=page
        )
    )
    if not explored.groups:
        st.info(nothing_fits(chosen), icon=":material/search_off:")
        return
    _draw_chart(explored, view, names)
    _draw_table(explored, view, names)
    draw_downloads(services, user, chosen, view.first, view.second, names=names, calls=explored.totals.calls)
    _draw_picked(services, user, chosen, view, names)


def _draw_controls(user: User, chosen: UsageFilter) -> tuple[str, _View]:
    # Percentiles are of kinds of calls, and not of days.
    kinds = [name for name in GROUP_LABELS if user.is_admin or name != "person"]
    costs_view.seed("per", _PER, kinds, default="model")
    groups = [name for name in [*GROUP_LABELS, *_TIME_LABELS] if user.is_admin or name != "person"]
    costs_view.seed("show", _SHOWN, [*_SHOWN_LABELS], default=_SUMS)
    # Four hundred days of ten models are too many columns to see, and take a browser long.
    usual = grain_for(chosen.since, chosen.until)
    costs_view.seed("by", _FIRST, groups, default=usual)
    costs_view.seed("then", _SECOND, [NOTHING, *groups], default="model")
    costs_view.seed("measure", _MEASURE, [*MEASURE_LABELS], default="spend")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Show",
            [*_SHOWN_LABELS],
            key=_SHOWN,
            required=True,
            format_func=_SHOWN_LABELS.__getitem__,
            label_visibility="collapsed",
        )
        shown = costs_view.keep("show", _SHOWN, default=_SUMS)
        if shown == _DISTRIBUTIONS:
            per = _select("Group by", "per", _PER, kinds, default="model")
            return shown, _View(first=per, second=NOTHING, measure="spend")
        first = _select("Group by", "by", _FIRST, groups, default=usual)
        rest = [NOTHING, *(name for name in groups if name != first and (name not in TIMES or first not in TIMES))]
        if st.session_state[_SECOND] not in rest:
            st.session_state[_SECOND] = NOTHING
        second = _select("Then by", "then", _SECOND, rest, default="model")
        st.selectbox("Measure", [*MEASURE_LABELS], key=_MEASURE, format_func=MEASURE_LABELS.__getitem__, width=150)
        measure = costs_view.keep("measure", _MEASURE, default="spend")
    return shown, _View(first=first, second=second, measure=measure)


def _select(label: str, name: str, key: str, options: Sequence[str], *, default: str) -> str:
    st.selectbox(label, options, key=key, format_func=_LABELS.__getitem__, width=150)
    return costs_view.keep(name, key, default=default)


def _page(chosen: UsageFilter, view: _View) -> int:
    """The page of the table; the first one again when what is in it has changed."""
    about = (chosen, view.first, view.second, view.measure)
    if st.session_state.get(f"{_PAGE}_of") != about:
        st.session_state[f"{_PAGE}_of"] = about
        st.session_state.pop(_PAGE, None)
        st.session_state.pop(_PICKED, None)
    return int(st.session_state.get(_PAGE, 1))


def _draw_chart(explored: Explored, view: _View, names: Names) -> None:
    st.subheader(literal(headline(explored.totals.spent)), anchor=False)
    timed = view.first in TIMES
    series = _series(explored, view, names)
    known = {item.key for item in series}
    shown = [cell for cell in explored.chart if cell.first is not None]
    pieces = [_piece(cell, view, names, known) for cell in shown]
    unit: charts.Unit = "usd" if view.measure == "spend" else "count"
    if timed:
        chart = charts.stacked_columns(pieces, series, grain=TIMES[view.first], unit=unit, select=_PICK)
    else:
        chart = charts.stacked_bars(pieces, series, unit=unit, select=_PICK)
    key = f"{_CHART}_{view.first}_{view.second}_{view.measure}"
    st.altair_chart(chart, key=key, on_select=partial(_pick_from_chart, key, view), alt=_alt(explored, view))
    if len(series) > 1:
        st.html(charts.legend_html(series))
    beyond = total(cell.totals.spent for cell in explored.chart if cell.first is None)
    if beyond.calls:
        st.caption(literal(f"The largest. All others together: {exactly(beyond)}."))


def _alt(explored: Explored, view: _View) -> str:
    then = "" if view.second == NOTHING else f" and {_LABELS[view.second].lower()}"
    return (
        f"{MEASURE_LABELS[view.measure]} by {_LABELS[view.first].lower()}{then}: "
        f"{at_least(explored.totals.spent)} in {formats.counted(explored.totals.calls, 'call')}. "
        "The table below says the same."
    )


def _series(explored: Explored, view: _View, names: Names) -> list[charts.Series]:
    group = view.first if view.second == NOTHING and view.first not in TIMES else view.second
    if group == NOTHING or group in TIMES or view.second == NOTHING:
        return [charts.Series(key="", name="All", colour=charts.PALETTE[0])]
    weights: dict[str, float] = {}
    for cell in explored.chart:
        key = charts.OTHER if cell.second is None else str(cell.second)
        weights[key] = weights.get(key, 0) + float(measured(cell.totals, view.measure))
    labels = {key: "All others" if key == charts.OTHER else names.of(group, key) for key in weights}
    return charts.series_of(weights, known=_known(group, weights, names), names=labels)


def _known(group: str, weights: Mapping[str, object], names: Names) -> list[str]:
    return list(names.models) if group == "model" else sorted(weights)


def _piece(cell: Cell, view: _View, names: Names, known: set[str]) -> charts.Piece:
    key = charts.OTHER if cell.second is None else str(cell.second)
    piece = charts.Piece(
        bar=value_words(view.first, cell.first or "", names),
        key=key if key in known else "",
        value=measured(cell.totals, view.measure),
        words=value_of(cell, view),
        pick="" if cell.first is None or cell.second is None else _pick_of(cell),
    )
    return replace(piece, at=cell.first) if isinstance(cell.first, datetime) else piece


def value_of(cell: Cell, view: _View) -> str:
    """The exact figure of a group, for a tooltip."""
    totals = cell.totals
    if view.measure == "spend":
        unpriced = f", {totals.unpriced:,} unpriced" if totals.unpriced else ""
        return f"{formats.exact(totals.cost_usd)} in {formats.counted(totals.calls, 'call')}{unpriced}"
    return f"{measured(totals, view.measure):,}"


def _draw_table(explored: Explored, view: _View, names: Names) -> None:
    key = f"{_TABLE}_{view.first}_{view.second}_{view.measure}_{st.session_state.get(_PAGE, 1)}"
    picks = [_pick_of(cell) for cell in explored.rows]
    frame, config = group_table(explored, first=view.first, second=view.second, labels=_LABELS, names=names)
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height="content" if len(explored.rows) <= 12 else 460,  # noqa: PLR2004 - rows that fit
        column_config=config,
        on_select=partial(_pick_from_table, key, view, picks),
        selection_mode="single-row",
        alt=_alt(explored, view),
    )
    pages = -(-explored.groups // PAGE_ROWS)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{formats.counted(explored.groups, 'group')}. Tick a row or click in the chart to see its calls.")
        if pages > 1:
            st.pagination(pages, key=_PAGE)


def _pick_of(cell: Cell) -> str:
    first = cell.first.isoformat() if isinstance(cell.first, datetime) else str(cell.first)
    second = cell.second.isoformat() if isinstance(cell.second, datetime) else str(cell.second)
    return f"{first}\t{second}"


@unbroken
def _pick_from_chart(key: str, view: _View) -> None:
    found = st.session_state[key].selection.get(_PICK) or []
    picked = found[0].get("pick", "") if found else ""
    _remember(view, picked)


@unbroken
def _pick_from_table(key: str, view: _View, picks: Sequence[str]) -> None:
    rows = st.session_state[key].selection.rows
    _remember(view, picks[rows[0]] if rows and rows[0] < len(picks) else "")


def _remember(view: _View, picked: str) -> None:
    if picked:
        st.session_state[_PICKED] = (view.first, view.second, *picked.split("\t"))
    else:
        st.session_state.pop(_PICKED, None)


def _draw_picked(services: Services, user: User, chosen: UsageFilter, view: _View, names: Names) -> None:
    found = st.session_state.get(_PICKED)
    if found is None or found[:2] != (view.first, view.second):
        return
    words, calls = [], chosen
    for group, text in ((view.first, found[2]), (view.second, found[3])):
        if group == NOTHING:
            continue
        value = datetime.fromisoformat(text) if group in TIMES else text
        calls = narrowed(calls, group, value)
        words.append(value_words(group, value, names))
    draw_calls(services, user, calls, title=" · ".join(words), names=names)
