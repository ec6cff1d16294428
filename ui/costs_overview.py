"""The overview of the cost pages: what was spent lately, on what and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.clock import utc_now
from core.costs.local_days import grain_for
from core.costs.reports.overview import Column, Overview, load_overview, load_titles
from core.costs.usage_filter import UsageFilter
from ui import charts
from ui.costs_budgets import draw_budgets
from ui.costs_figures import draw_lately
from ui.costs_names import GROUP_LABELS, Names
from ui.costs_tables import draw_caches, draw_dearest, draw_tokens
from ui.costs_values import load_names
from ui.costs_words import at_least, exactly, headline, nothing_fits
from ui.markdown import literal

_BY = "costs_overview_by"
_TEAM_GROUPS = ("model", "provider", "person", "use_case", "source")


def draw_overview(services: Services, user: User, chosen: UsageFilter) -> None:
    """Draw the figures, the columns over time and the tables, all as of one moment."""
    names = load_names(services, user)
    groups = [group for group in _TEAM_GROUPS if user.is_admin or group != "person"]
    by = st.session_state.get(_BY) or groups[0]
    now = utc_now()
    overview = services.ledger.snapshot(lambda cur: load_overview(cur, chosen, viewer=user, by=by, now=now))
    draw_lately(overview.lately, zone=chosen.zone, now=now)
    draw_budgets(services, user, chosen, overview.lately.forecast)
    if not overview.totals.calls:
        st.info(nothing_fits(chosen), icon=":material/search_off:")
        return
    _draw_columns(overview, chosen, names=names, groups=groups, by=by)
    titles = load_titles(services.database, overview.conversations.dearest, viewer=user)
    draw_dearest(overview, names=names, user=user, titles=titles)
    draw_tokens(overview.totals)
    draw_caches(overview.totals)


def _draw_columns(overview: Overview, chosen: UsageFilter, *, names: Names, groups: Sequence[str], by: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(literal(headline(overview.totals.spent)), anchor=False)
        st.segmented_control(
            "By",
            groups,
            key=_BY,
            default=groups[0],
            required=True,
            format_func=GROUP_LABELS.__getitem__,
            label_visibility="collapsed",
        )
    weights = weigh(overview.columns)
    labels = {name: "All others" if name == charts.OTHER else names.of(by, name) for name in weights}
    known = list(names.models) if by == "model" else sorted(weights)
    series = charts.series_of(weights, known=known, names=labels)
    grain = grain_for(chosen.since, chosen.until)
    st.altair_chart(
        charts.stacked_columns(pieces(overview.columns), series, grain=grain),
        alt=charts.columns_alt(f"Spend per {grain}", weights, labels, total=at_least(overview.totals.spent)),
    )
    st.html(charts.legend_html(series))


def weigh(columns: Sequence[Column]) -> dict[str, Decimal]:
    """What each group took over all columns."""
    weights: dict[str, Decimal] = {}
    for column in columns:
        key = charts.OTHER if column.name is None else column.name
        weights[key] = weights.get(key, Decimal(0)) + column.spent.cost_usd
    return weights


def pieces(columns: Sequence[Column]) -> list[charts.Piece]:
    """The columns as a chart wants them."""
    return [
        charts.Piece(
            at=column.at,
            key=charts.OTHER if column.name is None else column.name,
            value=column.spent.cost_usd,
            words=exactly(column.spent),
        )
        for column in columns
    ]
