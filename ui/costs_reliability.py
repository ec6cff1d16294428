"""What did not go as it should: failures, what fallbacks cost, time in cooling, stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.catalog.status_history import Stretch, status_history
from core.clock import utc_now
from core.costs.local_days import grain_for
from core.costs.reports.overview import dearest
from core.costs.reports.reliability import Detour, Reliability, load_reliability
from core.costs.reports.totals import total
from core.costs.usage_filter import UsageFilter
from ui import charts, formats
from ui.costs_names import STATUSES, Names
from ui.costs_tables import draw_spent, known, share_column
from ui.costs_values import load_names
from ui.costs_words import at_least, nothing_fits
from ui.markdown import literal

_HISTORY_DAYS = 30
_STOPPED = "By people, or because a budget was used up on the way: no failure of the model."
_TAX = (
    "For every try that failed and was followed by another: the time from its beginning to the beginning of the next, "
    "waiting included, and what the failed try itself cost. Added up over an answer that is its receipt."
)
_COOLING = "cooling"
# A name of 80 characters would leave no room for figures.
_NAME = st.column_config.TextColumn(width=150)
# Two of them, and every figure of the row in sight.
_NARROW = st.column_config.TextColumn(width=115)
_HOURS_FROM = 2


def draw_reliability(services: Services, user: User, chosen: UsageFilter) -> None:
    """Draw the figures, failures over time, and a table each of models, detours and cooling."""
    names = load_names(services, user)
    found = services.ledger.snapshot(lambda cur: load_reliability(cur, chosen, viewer=user))
    if not found.outcomes:
        st.info(nothing_fits(chosen), icon=":material/search_off:")
        return
    _draw_figures(found)
    _draw_failures(found, chosen)
    left, right = st.columns(2)
    with left:
        _draw_models(found, names)
    with right:
        _draw_detours(found.detours, names)
    with left:
        _draw_cooling(services, chosen, names)
    with right:
        _draw_stops(found, names)


def _draw_figures(found: Reliability) -> None:
    failed, stopped, calls = total(found.failures.values()), total(found.stops.values()), found.totals.calls
    with st.container(horizontal=True):
        st.metric("Failed", f"{failed.calls:,}", f"{_percent(failed.calls, calls)} of calls", **_PLAIN)
        st.metric(
            "Fallback tax, time",
            lasting(found.lost_ms) if found.detours else "none",
            f"{formats.counted(found.tax.calls, 'detour')}",
            help=_TAX,
            **_PLAIN,
        )
        st.metric("Fallback tax, money", literal(at_least(found.tax)), "cost of tries that failed", help=_TAX, **_PLAIN)
        st.metric(
            "Stopped",
            f"{stopped.calls:,}",
            f"{literal(at_least(stopped))} for what was written",
            help=_STOPPED,
            **_PLAIN,
        )


def _draw_failures(found: Reliability, chosen: UsageFilter) -> None:
    st.subheader("Failures by class", anchor=False)
    if not found.failures:
        st.success("No call failed.", icon=":material/check_circle:")
        return
    counts = {status: spent.calls for status, spent in found.failures.items()}
    labels = {status: STATUSES.get(status, status) for status in counts}
    series = charts.series_for(counts, known=list(STATUSES), names=labels)
    shown = {item.key for item in series}
    pieces = [
        charts.Piece(
            at=column.at,
            key=column.name if column.name and column.name in shown else charts.OTHER,
            value=column.spent.calls,
            words=formats.counted(column.spent.calls, "call"),
        )
        for column in found.columns
    ]
    grain = grain_for(chosen.since, chosen.until)
    most = ", ".join(f"{labels[status]} {counts[status]:,}" for status in sorted(counts, key=lambda key: -counts[key]))
    st.altair_chart(
        charts.stacked_columns(pieces, series, grain=grain, unit="count"), alt=f"Failed calls per {grain}: {most}"
    )
    st.html(charts.legend_html(series, counts=counts))


def _draw_models(found: Reliability, names: Names) -> None:
    st.subheader("Models", anchor=False)
    calls: dict[str, int] = {}
    failed: dict[str, int] = {}
    for (model, status), spent in found.outcomes.items():
        calls[model] = calls.get(model, 0) + spent.calls
        if status in found.failures:
            failed[model] = failed.get(model, 0) + spent.calls
    ranked = sorted(calls, key=lambda model: (-failed.get(model, 0), -calls[model], model))
    frame = pd.DataFrame(
        {
            "Model": [names.of("model", model) for model in ranked],
            "Failed": [failed.get(model, 0) for model in ranked],
            "Calls": [calls[model] for model in ranked],
            "Share": [100 * failed.get(model, 0) / calls[model] for model in ranked],
            "Most often": [_most_often(found, model) for model in ranked],
        }
    )
    st.dataframe(
        frame.style.format({"Failed": "{:,}", "Calls": "{:,}"}),
        hide_index=True,
        height=_height(len(ranked)),
        column_config={
            "Model": _NAME,
            "Share": share_column(frame["Share"]),
        },
        alt="Failed calls by model",
    )


def _most_often(found: Reliability, model: str) -> str:
    counts = {
        status: found.outcomes[model, status].calls for status in found.failures if (model, status) in found.outcomes
    }
    return STATUSES.get(top := max(counts, key=lambda status: counts[status]), top) if counts else ""


def _draw_detours(detours: Sequence[Detour], names: Names) -> None:
    st.subheader("Fallbacks and retries", anchor=False, help=_TAX)
    if not detours:
        st.caption("No answer took a second try.")
        return
    frame = pd.DataFrame(
        {
            "Failed": [names.of("model", detour.model) for detour in detours],
            "Then": [_then(detour, names) for detour in detours],
            "Times": [detour.spent.calls for detour in detours],
            "Time lost": [detour.lost_ms for detour in detours],
            "Money": [known(detour.spent) for detour in detours],
        }
    )
    frame["Money"] = pd.to_numeric(frame["Money"])
    style = frame.style.format({"Times": "{:,}", "Time lost": lasting, "Money": formats.dollars}, na_rep="unpriced")
    st.dataframe(
        style,
        hide_index=True,
        height=_height(len(detours)),
        placeholder="unpriced",
        column_config={"Failed": _NARROW, "Then": _NARROW},
        alt="What failed tries cost, by model",
    )


def _then(detour: Detour, names: Names) -> str:
    return "the same again" if detour.next_model == detour.model else names.of("model", detour.next_model)


def _draw_cooling(services: Services, chosen: UsageFilter, names: Names) -> None:
    st.subheader("Cooling", anchor=False)
    now = utc_now()
    since = max(chosen.since, now - timedelta(days=_HISTORY_DAYS))
    cooled = cooling_time(status_history(services.database, hours=24 * _HISTORY_DAYS), since=since, until=chosen.until)
    if chosen.models:
        cooled = {model: spent for model, spent in cooled.items() if model in chosen.models}
    if cooled:
        rows = sorted(cooled.items(), key=lambda item: -item[1])
        frame = pd.DataFrame(
            {
                "Model": [names.of("model", model) for model, _ in rows],
                "Time cooling": [spent.total_seconds() * 1000 for _, spent in rows],
            }
        )
        style = frame.style.format({"Time cooling": lasting})
        st.dataframe(style, hide_index=True, height=_height(len(rows)), alt="Time models were left alone")
    said = "No model was left alone." if not cooled else "How long models were left alone after failures, everybody's."
    st.caption(f"{said} Known to half a minute, and kept for {_HISTORY_DAYS} days.")


def cooling_time(history: Mapping[str, Sequence[Stretch]], *, since: datetime, until: datetime) -> dict[str, timedelta]:
    """How long each model was left alone between two moments, by what was written down of its states."""
    found: dict[str, timedelta] = {}
    for model, stretches in history.items():
        for stretch in stretches:
            lasted = min(stretch.until, until) - max(stretch.since, since)
            if stretch.reason.startswith(_COOLING) and lasted > timedelta():
                found[model] = found.get(model, timedelta()) + lasted
    return found


def _draw_stops(found: Reliability, names: Names) -> None:
    stops = found.stops
    if not stops:
        st.subheader("Stopped answers", anchor=False)
        st.caption("No answer was stopped.")
        return
    most, others = dearest(stops)
    rows = [(names.of("model", model), spent) for model, spent in most]
    rest = formats.counted(len(stops) - len(most), "other")
    if others.calls:
        rows.append((rest, others))
    draw_spent("Stopped answers", rows, of="Model", total=total(stops.values()), rest=[rest])


def lasting(milliseconds: object) -> str:
    """A time in a table: `0.6 s`, `3 min`, from two hours on `5.1 h`."""
    found = float(str(milliseconds))
    hours = found / 3_600_000
    return f"{hours:,.1f} h" if hours >= _HOURS_FROM else formats.duration(found)


def _percent(part: int, whole: int) -> str:
    return f"{Decimal(part) / whole:.1%}" if whole else "0%"


def _height(rows: int) -> int:
    return min(420, 38 + 35 * max(1, rows))


_PLAIN: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off", "border": True}
