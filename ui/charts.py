"""Charts from rows: pure functions, readable in both themes, with units, exact tooltips and a text of the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any, Literal

import altair as alt
import pandas as pd

from core.costs.local_days import Grain
from ui import formats

# DESIGN.md's categorical colours; the last one is what all others together have.
PALETTE = ("#4269D0", "#EFB118", "#FF725C", "#6CC5B0", "#3CA951", "#FF8AB7", "#A463F2", "#97BBF5", "#9C6B4E")
OTHER_COLOUR = "#9498A0"
OTHER = "other"
MOST_SERIES = len(PALETTE)
HEIGHT_PX = 280

_LENGTHS: Mapping[Grain, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
# What the middle of a column is called, where its label stands: a week by its Monday, three days before.
_TICKS: Mapping[Grain, str] = {
    "hour": "timeFormat(datum.value, '%H:00')",
    "day": "timeFormat(datum.value, '%-d %b')",
    "week": "timeFormat(timeOffset('day', datum.value, -3), '%-d %b %y')",
}
# Of several days an hour alone says nothing.
_TICKS_OF_DAYS = "timeFormat(datum.value, '%-d %b %H:00')"
_HOURS_OF_A_DAY = 25
# A fifth of a cent, a dollar and twelve thousand each as short as they can be said.
_DOLLARS = "'$' + (datum.value >= 1000 ? format(datum.value, '.3~s') : format(datum.value, '.3~g'))"
_COUNTS = "datum.value >= 1000 ? format(datum.value, '.3~s') : format(datum.value, '.3~g')"
_TIMES = (
    "datum.value >= 60000 ? format(datum.value / 60000, '.3~g') + ' min' : format(datum.value / 1000, '.3~g') + ' s'"
)
Unit = Literal["usd", "count", "ms"]
# How the labels of an axis are written, in Vega's own language.
AXIS_LABELS: Mapping[Unit, str] = {"usd": _DOLLARS, "count": _COUNTS, "ms": _TIMES}
_BAR_PX = 26


_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time, like every `at` here


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a column that begins at a local time, or of a bar with a name: its series, length and exact words.

    `pick` is what a click on it says; empty where it stands for several things.
    """

    key: str
    value: Decimal | float
    words: str
    at: datetime = _NEVER
    bar: str = ""
    pick: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of a chart: its key in the rows, its name and its colour."""

    key: str
    name: str
    colour: str


def colours(shown: Iterable[str], *, known: Sequence[str]) -> dict[str, str]:
    """A colour for each of nine keys at most, the same on every page as far as nine colours go.

    Every key of `known` has a colour of its own by its place; where two that are shown would share one, the later in
    `known` takes the next that is free.
    """
    places = {key: place for place, key in enumerate(known)}
    taken: dict[str, str] = {}
    for key in sorted(shown, key=lambda key: (places.get(key, len(places)), key)):
        first = places.get(key, len(places))
        order = [PALETTE[(first + step) % MOST_SERIES] for step in range(MOST_SERIES)]
        taken[key] = next((colour for colour in order if colour not in taken.values()), OTHER_COLOUR)
    return taken


def series_for(weights: Mapping[str, Decimal | int], *, known: Sequence[str], names: Mapping[str, str]) -> list[Series]:
    """The series of a chart, the weightiest first: nine at most, and "other" for the rest."""
    ranked = sorted(weights, key=lambda key: (-weights[key], key))
    shown = ranked if len(ranked) <= MOST_SERIES else ranked[:MOST_SERIES]
    given = colours(shown, known=known)
    found = [Series(key=key, name=names.get(key, key), colour=given[key]) for key in shown]
    if len(ranked) > len(shown):
        found.append(Series(key=OTHER, name=f"{len(ranked) - len(shown)} others", colour=OTHER_COLOUR))
    return found


def series_of(
    weights: Mapping[str, Decimal | float], *, known: Sequence[str], names: Mapping[str, str]
) -> list[Series]:
    """The series of what is folded already: the key OTHER, where there is one, comes last and grey."""
    ranked = sorted((key for key in weights if key != OTHER), key=lambda key: (-weights[key], key))
    given = colours(ranked, known=known)
    found = [Series(key=key, name=names.get(key, key), colour=given[key]) for key in ranked]
    return [*found, Series(key=OTHER, name=names[OTHER], colour=OTHER_COLOUR)] if OTHER in weights else found


def stacked_columns(
    pieces: Sequence[Piece], series: Sequence[Series], *, grain: Grain, unit: Unit = "usd", select: str | None = None
) -> alt.Chart:
    """Columns over time, stacked by series. `at` of a piece is the local time its column begins.

    `select` names the selection that a click on a piece makes, of the field `pick`.
    """
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(_stacked(pieces, series, grain=grain)), height=HEIGHT_PX)
        # Rectangles: a bar between two moments would lie on its side.
        .mark_rect(xOffset=0.5, x2Offset=-0.5)
        .encode(
            x=alt.X("at:T", title=None, axis=_time_axis([piece.at for piece in pieces], grain)),
            x2="end:T",
            y=alt.Y("low:Q", title=None, axis=_axis(unit)),
            y2="high:Q",
            color=_colour(series),
            tooltip=[
                alt.Tooltip("when:N", title="When"),
                alt.Tooltip("series:N", title="What"),
                alt.Tooltip("words:N", title="Exactly"),
            ],
            description=alt.Description("told:N"),
        )
    )
    if select is None:
        return chart
    return _picking(chart, select)


def stacked_bars(
    pieces: Sequence[Piece], series: Sequence[Series], *, unit: Unit = "usd", select: str | None = None
) -> alt.Chart:
    """Bars one below the other in the order of their lengths, stacked by series."""
    places = {item.key: place for place, item in enumerate(series)}
    lengths: dict[str, float] = {}
    for piece in pieces:
        lengths[piece.bar] = lengths.get(piece.bar, 0.0) + float(piece.value)
    order = sorted(lengths, key=lambda bar: (-lengths[bar], bar))
    rows = [
        {
            "bar": piece.bar,
            "series": series[places[piece.key]].name,
            "place": places[piece.key],
            "value": float(piece.value),
            "words": piece.words,
            "told": f"{piece.bar}, {series[places[piece.key]].name}: {piece.words}",
            "pick": piece.pick,
        }
        for piece in pieces
    ]
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(rows), height=_BAR_PX * len(order) + 40)
        .mark_bar()
        .encode(
            y=alt.Y("bar:N", title=None, sort=order, axis=alt.Axis(labelLimit=130, ticks=False, domain=False)),
            x=alt.X("value:Q", title=None, stack="zero", axis=_axis(unit)),
            color=_colour(series),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("bar:N", title="Group"),
                alt.Tooltip("series:N", title="What"),
                alt.Tooltip("words:N", title="Exactly"),
            ],
            description=alt.Description("told:N"),
        )
    )
    return chart if select is None else _picking(chart, select)


def _picking(chart: alt.Chart, select: str) -> alt.Chart:
    picked = alt.selection_point(name=select, fields=["pick"])
    picking: alt.Chart = chart.add_params(picked).encode(opacity=alt.condition(picked, alt.value(1), alt.value(0.35)))
    return picking


def _stacked(pieces: Sequence[Piece], series: Sequence[Series], *, grain: Grain) -> list[dict[str, Any]]:
    """A row for each piece, from where it stands on those below it; the first series is the lowest."""
    places = {item.key: place for place, item in enumerate(series)}
    heights: dict[datetime, float] = {}
    rows = []
    for piece in sorted(pieces, key=lambda piece: (piece.at, places[piece.key])):
        low = heights.get(piece.at, 0.0)
        heights[piece.at] = high = low + float(piece.value)
        rows.append(
            {
                "at": piece.at,
                "end": piece.at + _LENGTHS[grain],
                "series": series[places[piece.key]].name,
                "low": low,
                "high": high,
                "words": piece.words,
                "told": f"{when(piece.at, grain)}, {series[places[piece.key]].name}: {piece.words}",
                "pick": piece.pick,
                "when": when(piece.at, grain),
            }
        )
    return rows


def legend_html(series: Sequence[Series], *, counts: Mapping[str, int] | None = None) -> str:
    """The series with their colours, and their counts where given, as one line that wraps.

    Vega's own legend is cut off on a phone.
    """
    items = "".join(
        f'<span style="white-space:nowrap;max-width:min(100%,16rem);overflow:hidden;text-overflow:ellipsis">'
        f'<span aria-hidden="true" style="display:inline-block;width:0.7em;height:0.7em;border-radius:2px;'
        f'margin-right:0.4em;background:{item.colour}"></span>{escape(item.name)}{_count(item.key, counts)}</span>'
        for item in series
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:0.2rem 1rem;font-size:0.85rem">{items}</div>'


def _count(key: str, counts: Mapping[str, int] | None) -> str:
    return f" {counts[key]:,}" if counts and key in counts else ""


def when(at: datetime, grain: Grain) -> str:
    """The name of a column: `29 Nov 2026`, `29 Nov 2026, 14:00`, `week from 23 Nov 2026`."""
    day = f"{at.day} {at:%b %Y}"
    return {"hour": f"{day}, {at:%H:%M}", "day": day, "week": f"week from {day}"}[grain]


def columns_alt(what: str, weights: Mapping[str, Decimal], names: Mapping[str, str], *, total: str) -> str:
    """What a chart of money shows, for somebody who cannot see it."""
    ranked = sorted(weights, key=lambda key: (-weights[key], key))[:3]
    most = ", ".join(f"{names.get(key, key)} {formats.money(weights[key])}" for key in ranked)
    return f"{what}: {total} in all. Most: {most}." if most else f"{what}: nothing."


def _time_axis(begins: Sequence[datetime], grain: Grain) -> alt.Axis:
    """An axis with a label below the middle of every column, as far as there is room."""
    length = _LENGTHS[grain]
    columns = round((max(begins) - min(begins)) / length) + 1 if begins else 0
    middles = [min(begins) + length * column + length / 2 for column in range(columns)]
    # A moment in parts is read by the clock that the chart is drawn by, like every `at`.
    values = [
        alt.DateTime(year=at.year, month=at.month, date=at.day, hours=at.hour, minutes=at.minute) for at in middles
    ]
    words = _TICKS_OF_DAYS if grain == "hour" and columns > _HOURS_OF_A_DAY else _TICKS[grain]
    return alt.Axis(values=values, labelExpr=words, labelOverlap=True, grid=False, ticks=False)


def _axis(unit: Unit) -> alt.Axis:
    return alt.Axis(labelExpr=AXIS_LABELS[unit], tickCount=5)


def _colour(series: Sequence[Series]) -> alt.Color:
    domain: list[Any] = [item.name for item in series]
    return alt.Color(
        "series:N", legend=None, scale=alt.Scale(domain=domain, range=[item.colour for item in series]), sort=domain
    )
