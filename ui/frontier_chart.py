"""Cost against time or quality, as a chart. Pure: rows in, a chart out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, cast

import altair as alt
import pandas as pd

from core.costs.frontier import Frontier, Standing
from ui import formats

_KEPT, _BEATEN = "not beaten", "beaten by another one"
_COLOURS = alt.Scale(domain=[_KEPT, _BEATEN], range=["#4269D0", "#9498A0"])
_MS = 1000
_ALL_NAMED = 9


def frontier_chart(found: Frontier, labels: Mapping[str, str]) -> alt.LayerChart | alt.FacetChart:
    """A point per model, a line through those that nothing beats, names beside the points. Costs are logarithmic."""
    most = max((float(one.cost_per_answer_usd or 0) for one in found.standings), default=0.0)
    rows = [_row(one, found, labels, dear_from=most / 3) for one in found.standings]
    least = min((one.cost_per_answer_usd for one in found.standings if one.cost_per_answer_usd), default=None)
    # Logarithmic, with a place for what is free: symlog is linear below its constant.
    kind = {"type": "linear"} if least is None else {"type": "symlog", "constant": float(least)}
    scale = alt.Scale(**kind, domain=[0, 1.5 * most or 1.0])
    x = alt.X(
        "cost:Q",
        title="USD per answer, mean",
        scale=scale,
        axis=alt.Axis(format="$~g", values=_ticks(found), grid=True),
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
    # Among many, only those that nothing beats have their names there; the tooltip names the others.
    named = base if len(rows) <= _ALL_NAMED else base.transform_filter(alt.datum.standing == _KEPT)
    return alt.layer(line, points, *(_names(named, x, y, dear=dear) for dear in (False, True)))


def _names(rows: alt.Chart, x: alt.X, y: alt.Y, *, dear: bool) -> alt.Chart:
    # The names of the dearest stand to their left: on the other side the chart ends.
    align: Literal["right", "left"] = "right" if dear else "left"
    names = rows.transform_filter(alt.datum.dear == dear).mark_text(
        align=align, dx=-8 if dear else 8, dy=-9, limit=180, color="#7A8499"
    )
    return cast("alt.Chart", names.encode(x=x, y=y, text="label:N"))


def _ticks(found: Frontier) -> list[float]:
    """Nothing, and the powers of ten between the cheapest and the dearest."""
    costs = [one.cost_per_answer_usd for one in found.standings if one.cost_per_answer_usd]
    if not costs:
        return [0.0]
    first, last = min(costs).adjusted(), max(costs).adjusted() + 1
    powers = [float(Decimal(1).scaleb(exponent)) for exponent in range(first, last + 1)]
    return [0.0, *powers] if len(costs) < len(found.standings) else powers


def _row(one: Standing, found: Frontier, labels: Mapping[str, str], *, dear_from: float) -> dict[str, object]:
    cost_usd = one.cost_per_answer_usd
    measure = one.quality if found.by_quality else one.duration_ms / _MS
    return {
        "label": labels.get(one.model_id, one.model_id),
        "cost": float(cost_usd or 0),
        "cost_words": "" if cost_usd is None else formats.money(cost_usd),
        "measure": measure,
        "measure_words": f"{measure:.0f}" if found.by_quality else formats.duration(one.duration_ms),
        "answers": one.answers,
        "dear": float(cost_usd or 0) > dear_from,
        "standing": _BEATEN if one.model_id in found.beaten_by else _KEPT,
    }
