"""How the status of a model went over the last 24 hours: a strip of colours, and its changes in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from typing import Any

import altair as alt
import streamlit as st

from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.catalog.status_history import Stretch, status_history
from core.clock import utc_now
from ui.markdown import literal
from ui.model_status import DOTS
from ui.times import local_time, viewer_zone

# The design's green, yellow, red and grey that show on light and on dark.
_COLOURS: Mapping[str, str] = {"healthy": "#3CA951", "slow": "#EFB118", "down": "#FF725C", "unknown": "#9498A0"}
_WORDS: Mapping[str, str] = {"healthy": "healthy", "slow": "slow", "down": "down", "unknown": "not tried"}
_HEIGHT_PX = 72
# A picture is as high as its row: the edge keeps it off the lines of the table.
_BAR_PX, _EDGE_PX = 4, 5
_BARS_PX: Mapping[str, int] = {"healthy": 16, "slow": 10, "down": 5, "unknown": 2}
_STRIP_PX = _BARS_PX["healthy"] + 2 * _EDGE_PX
_TOLD = 5


def draw_strip(services: Services, model: ModelSpec) -> None:
    """The last 24 hours of one model. Looking at it probes a model of which nothing is known."""
    services.prober.ask(model, services.model_status(model))
    found = status_history(services.database).get(model.id, ())
    if not found:
        st.caption("Status of the last 24 h: not tried.")
        return
    zone = viewer_zone()
    st.caption("Status of the last 24 h")
    st.altair_chart(strip_chart(found, zone=zone), alt=_spoken(found))
    st.caption("  \n".join(change_lines(found, zone=zone, now=utc_now())))


def strip_chart(found: Sequence[Stretch], *, zone: tzinfo) -> alt.Chart:
    """The stretches as one bar over time, on the clock of `zone`."""
    states = list(_COLOURS)
    data = alt.Data(values=[_bar(stretch, zone) for stretch in found])  # type: ignore[no-untyped-call] # theirs
    chart: alt.Chart = (
        alt.Chart(data, height=_HEIGHT_PX)
        .mark_rect()
        .encode(
            x=alt.X("since:T", title=None, axis=alt.Axis(format="%H:%M", tickCount=8, grid=False)),
            x2="until:T",
            color=alt.Color(
                "state:N",
                legend=None,
                scale=alt.Scale(domain=[_WORDS[state] for state in states], range=list(_COLOURS.values())),
            ),
            tooltip=[
                alt.Tooltip("state:N", title="Status"),
                alt.Tooltip("since:T", title="From", format="%H:%M"),
                alt.Tooltip("until:T", title="To", format="%H:%M"),
                alt.Tooltip("reason:N", title="Why"),
            ],
        )
    )
    return chart


def strip_image(hours: Sequence[str]) -> str:
    """The worst state of each hour, oldest first, as a picture for the cell of a table: a bar an hour, as a data URL.

    The worse, the shorter the bar: colour alone says nothing to some. Hours of the same state are one shape.
    """
    shapes, left = [], 0
    for state, run in groupby(hours):
        width = _BAR_PX * len(list(run))
        height = _BARS_PX.get(state, _BARS_PX["unknown"])
        colour = _COLOURS.get(state, _COLOURS["unknown"]).replace("#", "%23")
        shapes.append(
            f"<rect x='{left}' y='{_STRIP_PX - _EDGE_PX - height}' width='{width}' height='{height}' fill='{colour}'/>"
        )
        left += width
    size = f"width='{left}' height='{_STRIP_PX}' viewBox='0 0 {left} {_STRIP_PX}'"
    return f"data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' {size}>{''.join(shapes)}</svg>"


def change_lines(found: Sequence[Stretch], *, zone: tzinfo, now: datetime) -> list[str]:
    """The last changes in words, the newest first: colour alone says nothing to some."""
    return [_change(stretch, zone=zone, now=now) for stretch in list(reversed(found))[:_TOLD]]


def _change(stretch: Stretch, *, zone: tzinfo, now: datetime) -> str:
    since = local_time(stretch.since, zone)
    day = "" if since.date() == local_time(now, zone).date() else "yesterday "
    dot = next((dot for state, dot in DOTS.items() if state == stretch.state), "")
    return f"{dot} {literal(f'from {day}{since:%H:%M} {stretch.reason}')}"


def _bar(stretch: Stretch, zone: tzinfo) -> dict[str, Any]:
    return {
        "state": _WORDS.get(stretch.state, stretch.state),
        "reason": stretch.reason,
        # Without a zone: the browser takes it as its own, which is the zone it was converted to.
        "since": f"{local_time(stretch.since, zone):%Y-%m-%dT%H:%M:%S}",
        "until": f"{local_time(stretch.until, zone):%Y-%m-%dT%H:%M:%S}",
    }


def _spoken(found: Sequence[Stretch]) -> str:
    last = found[-1]
    changes = len(found) - 1
    times = "once" if changes == 1 else f"{changes} times"
    return f"Status of the last 24 hours: now {_WORDS.get(last.state, last.state)}, changed {times}"
