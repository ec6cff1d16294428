"""Ratings as charts. Pure: values in, a chart out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from core.arena.boards import HistoryPoint
from core.arena.ratings import Board, HeadToHead

Chart = alt.LayerChart | alt.FacetChart | alt.Chart

_ACCENT = "#4269D0"
_ROW_PX = 30
# Streamlit counts the axes to the height: numbers and a title below, slanted names and a title above.
_BELOW_PX, _ABOVE_PX = 60, 140
_SERIES = ["#4269D0", "#EFB118", "#FF725C", "#6CC5B0", "#3CA951", "#FF8AB7", "#A463F2", "#97BBF5", "#9C6B4E"]


def interval_chart(board: Board, labels: Mapping[str, str]) -> Chart:
    """A dot per model with its 95 % interval, the best on top."""
    rows = pd.DataFrame(
        [
            {
                "model": labels[one.model_id],
                "rating": round(one.rating),
                "low": round(one.low),
                "high": round(one.high),
                "votes": one.votes,
            }
            for one in board.ratings
        ]
    )
    y = alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=220))
    x = alt.X("low:Q", title="Rating, with its 95 % interval", scale=alt.Scale(zero=False, padding=15))
    tooltip = ["model:N", "rating:Q", "low:Q", "high:Q", "votes:Q"]
    base = alt.Chart(rows).encode(y=y, tooltip=tooltip)
    bars = base.mark_rule(color=_ACCENT, strokeWidth=2).encode(x=x, x2="high:Q")
    dots = base.mark_point(filled=True, size=90, color=_ACCENT, opacity=1).encode(x="rating:Q")
    return alt.layer(bars, dots).properties(height=_BELOW_PX + _ROW_PX * len(rows))


def matrix_chart(pairs: Sequence[HeadToHead], labels: Mapping[str, str], best_first: Sequence[str]) -> Chart:
    """Who beat whom how often: the row's share of its votes against the column. White is half.

    Rows and columns are in the order of `best_first`, the ids of models; those that it does not name come last.
    """
    rows = pd.DataFrame(
        [
            {
                "model": labels[one.model_id],
                "against": labels[one.other_id],
                "won": one.share,
                "votes": one.votes,
                "words": f"{one.share:.0%}",
            }
            for one in pairs
        ]
    )
    order = [labels[name] for name in dict.fromkeys([*best_first, *(one.model_id for one in pairs)])]
    size = _ABOVE_PX + _ROW_PX * rows["model"].nunique()
    # Slanted as they are, they do not overlap on a phone either.
    axis = alt.Axis(orient="top", labelAngle=-40, labelLimit=160, labelOverlap=False)
    base = alt.Chart(rows).encode(
        x=alt.X("against:N", sort=order, title="Against", axis=axis),
        y=alt.Y("model:N", sort=order, title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=["model:N", "against:N", alt.Tooltip("won:Q", format=".1%", title="Won, ties half"), "votes:Q"],
    )
    colour = alt.Color(
        "won:Q",
        # Through other spaces of colour than RGB the way from red to white passes lilac.
        scale=alt.Scale(domain=[0, 0.5, 1], range=["#FF725C", "#F3F5F9", "#4269D0"], interpolate="rgb"),
        legend=None,
    )
    words = base.mark_text(color="#1B2230", fontSize=11).encode(text="words:N")
    return alt.layer(base.mark_rect().encode(color=colour), words).properties(height=size)


def history_chart(history: Sequence[HistoryPoint], labels: Mapping[str, str]) -> Chart:
    """The ratings of the nine best models over time."""
    best = [one.model_id for one in history[-1].board.ratings[: len(_SERIES)]] if history else []
    rows = pd.DataFrame(
        [
            {"until": point.until, "model": labels[one.model_id], "rating": round(one.rating), "votes": one.votes}
            for point in history
            for one in point.board.ratings
            if one.model_id in best
        ]
    )
    colour = alt.Color(
        "model:N",
        scale=alt.Scale(domain=[labels[name] for name in best], range=_SERIES[: len(best)]),
        legend=alt.Legend(title=None, orient="bottom", columns=3),
    )
    chart: Chart = (
        alt.Chart(rows)
        .mark_line(point=True)
        .encode(
            x=alt.X("until:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6)),
            y=alt.Y("rating:Q", title="Rating", scale=alt.Scale(zero=False, padding=10)),
            color=colour,
            tooltip=["model:N", alt.Tooltip("until:T", format="%-d %b %Y"), "rating:Q", "votes:Q"],
        )
        .properties(height=280)
    )
    return chart
