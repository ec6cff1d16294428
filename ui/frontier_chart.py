"""Cost against time or quality, as a chart. Pure: rows in, a chart out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, cast

import altair as alt
import pandas as pd

from core.costs.frontier import Frontier, Standing
from ui import formats

_KEPT, _BEATEN = "not beaten", "beaten by another one"
_COLOURS = alt.Scale(domain=[_KEPT, _BEATEN], range=["#4269D0", "#9498A0"])
_MS = 1000
# Where a name may stand beside its point, in pixels below it; about how wide a letter and a point are.
_SIDES = {"above": -9, "below": 12, "beside": 0}
_LETTER_PX, _DOT_PX, _LONGEST_PX = 6.5, 5.0, 180.0
# How large the chart is about, on a page of usual width and on a phone, and the width between the two.
_WIDE_PX, _NARROW_PX, _NARROW_BELOW_PX = (800.0, 130.0), (270.0, 130.0), 500
_Box = tuple[float, float, float, float]


def frontier_chart(found: Frontier, labels: Mapping[str, str]) -> alt.LayerChart | alt.FacetChart:
    """A point per model, a line through those that nothing beats, names beside the points. Costs are logarithmic."""
    most = max((float(one.cost_per_answer_usd or 0) for one in found.placed), default=0.0)
    x, y = _axes(found, most)
    colour = alt.Color("standing:N", scale=_COLOURS, legend=alt.Legend(title=None, orient="top"))
    tooltip = [
        alt.Tooltip("label:N", title="Model"),
        alt.Tooltip("cost_words:N", title="USD per answer"),
        alt.Tooltip("measure_words:N", title="Rating" if found.by_quality else "Seconds, median"),
        alt.Tooltip("answers:Q", title="Answers", format=","),
    ]
    base = alt.Chart(pd.DataFrame(_rows(found, labels, most)))
    line = (
        base.transform_filter(alt.datum.standing == _KEPT)
        .mark_line(color="#4269D0", strokeDash=[4, 4], interpolate="step-after", opacity=0.6)
        .encode(x=x, y=y)
    )
    points = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=x, y=y, color=colour, shape=alt.Shape("standing:N", legend=None), tooltip=tooltip
    )
    places = [(dear, side) for dear in (False, True) for side in _SIDES]
    return alt.layer(line, points, *(_names(base, x, y, dear=dear, side=side) for dear, side in places))


def _rows(found: Frontier, labels: Mapping[str, str], most: float) -> list[dict[str, Any]]:
    """A row per model, with the side of its point on which its name has room, in a wide chart and in a narrow one."""
    placed = [_row(one, found, labels, dear_from=most / 3) for one in found.placed]
    wide, narrow = (sides_with_room(placed, size_px=size_px) for size_px in (_WIDE_PX, _NARROW_PX))
    return [
        {**row, "side": side, "side_narrow": on_a_phone}
        for row, side, on_a_phone in zip(placed, wide, narrow, strict=True)
    ]


def _axes(found: Frontier, most: float) -> tuple[alt.X, alt.Y]:
    least = min((one.cost_per_answer_usd for one in found.placed if one.cost_per_answer_usd), default=None)
    # Logarithmic, with a place for what is free: symlog is linear below its constant.
    kind = {"type": "linear"} if least is None else {"type": "symlog", "constant": float(least)}
    x = alt.X(
        "cost:Q",
        title="USD per answer, mean",
        scale=alt.Scale(**kind, domain=[0, 1.5 * most or 1.0]),
        axis=alt.Axis(format="$~g", values=_ticks(found), grid=True),
    )
    y = alt.Y(
        "measure:Q",
        title="Rating from votes" if found.by_quality else "Seconds to the whole answer, median",
        scale=alt.Scale(zero=False, padding=20),
    )
    return x, y


def _names(rows: alt.Chart, x: alt.X, y: alt.Y, *, dear: bool, side: str) -> alt.Chart:
    # The names of the dearest stand to their left: on the other side the chart ends.
    align: Literal["right", "left"] = "right" if dear else "left"
    fits = f"(width < {_NARROW_BELOW_PX} ? datum.side_narrow : datum.side) === '{side}'"
    names = rows.transform_filter(f"datum.dear === {str(dear).lower()} && {fits}").mark_text(
        align=align, dx=-8 if dear else 8, dy=_SIDES[side], limit=_LONGEST_PX, color="#7A8499"
    )
    return cast("alt.Chart", names.encode(x=x, y=y, text="label:N"))


def sides_with_room(rows: Sequence[Mapping[str, Any]], *, size_px: tuple[float, float]) -> list[str]:
    """For each row the side of its point where its name has room, "" where it has none: the tooltip names it then.

    Those that nothing beats come first. A name stays within the chart, which is about `size_px` wide and high.
    """
    at = _places_px(rows, size_px)
    taken = [(x - _DOT_PX, x + _DOT_PX, y - _DOT_PX, y + _DOT_PX) for x, y in at]
    taken += _line_px([place for row, place in zip(rows, at, strict=True) if row["standing"] == _KEPT])
    sides = [""] * len(rows)
    for place in sorted(range(len(rows)), key=lambda place: (rows[place]["standing"] != _KEPT, rows[place]["cost"])):
        boxes = _boxes_px(rows[place], *at[place])
        free = (side for side, box in boxes.items() if not any(_overlap(box, other) for other in taken))
        if side := next((side for side in free if _within(boxes[side], size_px[0])), ""):
            sides[place] = side
            taken.append(boxes[side])
    return sides


def _places_px(rows: Sequence[Mapping[str, Any]], size_px: tuple[float, float]) -> list[tuple[float, float]]:
    """About where the points are, in pixels to the right and down."""
    costs, measures = [row["cost"] for row in rows], [row["measure"] for row in rows]
    least = min((cost for cost in costs if cost), default=1.0)
    low = min(measures, default=0.0)
    wide = math.log1p(1.5 * max(costs, default=0.0) / least) or 1.0
    tall = (max(measures, default=0.0) - low) or 1.0
    return [
        (size_px[0] * math.log1p(cost / least) / wide, -size_px[1] * (measure - low) / tall)
        for cost, measure in zip(costs, measures, strict=True)
    ]


def _boxes_px(row: Mapping[str, Any], x: float, y: float) -> dict[str, _Box]:
    """What the name of a point at (x, y) would cover on each of its sides."""
    long = min(_LONGEST_PX, _LETTER_PX * len(row["label"]))
    left, right = (x - 8 - long, x - 8) if row["dear"] else (x + 8, x + 8 + long)
    return {side: (left, right, y + down - _LETTER_PX, y + down + _LETTER_PX) for side, down in _SIDES.items()}


def _line_px(kept: Sequence[tuple[float, float]]) -> list[_Box]:
    """What the line through these points covers: level from each to the place of the next, then up or down to it."""
    steps = list(pairwise(sorted(kept)))
    level = [(x, after_x, y - 1, y + 1) for (x, y), (after_x, _) in steps]
    upright = [(x - 1, x + 1, min(y, before_y), max(y, before_y)) for (_, before_y), (x, y) in steps]
    return level + upright


def _within(box: _Box, wide_px: float) -> bool:
    return box[0] >= -_LETTER_PX and box[1] <= wide_px + _LETTER_PX


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _ticks(found: Frontier) -> list[float]:
    """Nothing, and the powers of ten between the cheapest and the dearest."""
    costs = [one.cost_per_answer_usd for one in found.placed if one.cost_per_answer_usd]
    if not costs:
        return [0.0]
    first, last = min(costs).adjusted(), max(costs).adjusted() + 1
    powers = [float(Decimal(1).scaleb(exponent)) for exponent in range(first, last + 1)]
    return [0.0, *powers] if len(costs) < len(found.placed) else powers


def _row(one: Standing, found: Frontier, labels: Mapping[str, str], *, dear_from: float) -> dict[str, Any]:
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
