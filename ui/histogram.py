"""How many calls took how much, as a chart on a logarithmic axis. Pure: rows in, a chart out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from ui.charts import AXIS_LABELS, HEIGHT_PX, PALETTE, Unit

# Between so few powers of ten there is room for labels at 2 and 5 as well.
_FEW_DECADES = 3
# A label may stand so much beside the first and the last bar, as a factor.
_EDGE = 1.3
_ROUND_MS = (1.0, 10.0, 100.0, 300.0, 1e3, 3e3, 10e3, 30e3, 60e3, 180e3, 600e3, 1800e3, 3600e3)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramBar:
    """So many calls from `low` to below `high`, and that in words."""

    low: float
    high: float
    calls: int
    words: str


def histogram(bars: Sequence[HistogramBar], marks: Mapping[str, float], *, unit: Unit) -> alt.LayerChart:
    """How many calls took how much, on a logarithmic axis, with a line at each of the marks."""
    frame = pd.DataFrame(
        [{"low": bar.low, "high": bar.high, "calls": bar.calls, "zero": 0, "words": bar.words} for bar in bars]
    )
    columns = (
        alt.Chart(frame, height=HEIGHT_PX)
        .mark_rect(color=PALETTE[0])
        .encode(
            x=alt.X("low:Q", title=None, scale=alt.Scale(type="log"), axis=_decades_axis(bars, unit)),
            x2="high:Q",
            y=alt.Y("zero:Q", title="Calls", axis=alt.Axis(labelExpr=AXIS_LABELS["count"], tickCount=5)),
            y2="calls:Q",
            tooltip=[alt.Tooltip("words:N", title="Took"), alt.Tooltip("calls:Q", title="Calls", format=",")],
        )
    )
    lines = alt.Chart(pd.DataFrame([{"at": value, "name": name} for name, value in marks.items()]))
    rules = lines.mark_rule(color=PALETTE[2], strokeDash=[4, 3]).encode(x="at:Q", tooltip=["name:N"])
    names = lines.mark_text(color=PALETTE[2], align="left", dx=4, y=8).encode(x="at:Q", text="name:N")
    return alt.LayerChart(layer=[columns, rules, names] if marks else [columns])


def _decades_axis(bars: Sequence[HistogramBar], unit: Unit) -> alt.Axis:
    """An axis with labels at round values: powers of ten with 2 and 5 between few of them, or seconds and minutes."""
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    rounds = _ROUND_MS if unit == "ms" else _round_numbers(low, high)
    values = [value for value in rounds if low / _EDGE <= value <= high * _EDGE]
    return alt.Axis(labelExpr=AXIS_LABELS[unit], values=values or [low])


def _round_numbers(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= _FEW_DECADES else (1,)
    return [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
