"""Cost against time or quality, as a chart. Pure: rows in, a chart out."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from core.costs.frontier import Frontier, Standing
from ui import formats

_KEPT, _BEATEN = "not beaten", "beaten by another one"
_COLOURS = alt.Scale(domain=[_KEPT, _BEATEN], range=["#4269D0", "#9498A0"])
_MS = 1000


def frontier_chart(found: Frontier, labels: Mapping[str, str]) -> alt.LayerChart | alt.FacetChart:
    """A point per model, a line through those that nothing beats, names beside the points. Costs are logarithmic."""
    rows = [_row(one, found, labels) for one in found.standings]
    linear = any(not one.cost_per_answer_usd for one in found.standings)
    x = alt.X(
        "cost:Q",
        title="USD per answer, mean",
        scale=alt.Scale(type="linear" if linear else "log", padding=30),
        axis=alt.Axis(format="$~g", tickCount=6, grid=True),
    )
    y = alt.Y(
        "measure:Q",
        title="Rating from votes" if found.by_quality else "Seconds to the whole answer, median",
        scale=alt.Scale(zero=False, padding=20),
    )
    colour = alt.Color("standing:N", scale=_COLOURS, legend=alt.Legend(title=None, orient="top"))
    tooltip = [
        alt.Tooltip("label:N", title="Model"),
        alt.Tooltip("cost_words:N", title="USD per answer"),
        alt.Tooltip("measure_words:N", title="Rating" if found.by_quality else "Seconds, median"),
        alt.Tooltip("answers:Q", title="Answers", format=","),
    ]
    base = alt.Chart(pd.DataFrame(rows))
    line = (
        base.transform_filter(alt.datum.standing == _KEPT)
        .mark_line(color="#4269D0", strokeDash=[4, 4], interpolate="step-after", opacity=0.6)
        .encode(x=x, y=y)
    )
    points = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=x, y=y, color=colour, shape=alt.Shape("standing:N", legend=None), tooltip=tooltip
    )
    names = base.mark_text(align="left", dx=10, limit=180, color="#7A8499").encode(x=x, y=y, text="label:N")
    return alt.layer(line, points, names)


def _row(one: Standing, found: Frontier, labels: Mapping[str, str]) -> dict[str, object]:
    cost_usd = one.cost_per_answer_usd
    measure = one.quality if found.by_quality else one.duration_ms / _MS
    return {
        "label": labels.get(one.model_id, one.model_id),
        "cost": float(cost_usd or 0),
        "cost_words": "" if cost_usd is None else formats.money(cost_usd),
        "measure": measure,
        "measure_words": f"{measure:.0f}" if found.by_quality else formats.duration(one.duration_ms),
        "answers": one.answers,
        "standing": _BEATEN if one.model_id in found.beaten_by else _KEPT,
    }
