"""The table that `make bench` prints: Markdown, so that a run can be kept in BASELINE.md as it is."""

from __future__ import annotations

from collections.abc import Sequence

from bench.catalog import Measure, Results
from bench.stats import median, spread

HEADER = ("measure", "plain", "ours", "ratio", "target", "")


def render(measures: Sequence[Measure], results: Results) -> str:
    """The table of all measures that have samples, as aligned Markdown."""
    rows = [_row(measure, results) for measure in measures if any(results[app].get(measure.key) for app in results)]
    widths = [max(len(line[column]) for line in [HEADER, *rows]) for column in range(len(HEADER))]
    rule = [":" + "-" * (width - 1) if width else "" for width in widths]
    return "\n".join(_line(cells, widths) for cells in [HEADER, [*rule[:-1], "-" * widths[-1]], *rows])


def missed(measures: Sequence[Measure], results: Results) -> list[Measure]:
    """The measures whose target does not hold."""
    return [measure for measure in measures if verdict(measure, results) is False]


def verdict(measure: Measure, results: Results) -> bool | None:
    """Whether the target holds; None without target or figures."""
    ours, plain = _median(measure, results, "ours"), _median(measure, results, "plain")
    if measure.target is None or ours is None:
        return None
    return measure.target.holds(ours=ours, plain=plain)


def _row(measure: Measure, results: Results) -> list[str]:
    ours, plain = _median(measure, results, "ours"), _median(measure, results, "plain")
    return [
        f"{measure.label} ({measure.unit})",
        _figures(measure, results, "plain"),
        _figures(measure, results, "ours"),
        f"{ours / plain:.2f}" if ours is not None and plain else "",
        measure.target.text() if measure.target else "",
        {True: "ok", False: "not ok", None: ""}[verdict(measure, results)],
    ]


def _median(measure: Measure, results: Results, app: str) -> float | None:
    values = results.get(app, {}).get(measure.key)
    return median(values) if values else None


def _figures(measure: Measure, results: Results, app: str) -> str:
    values = results.get(app, {}).get(measure.key)
    if not values:
        return ""
    middle, (low, high) = number(median(values)), spread(values)
    return middle if len(values) == 1 else f"{middle} ({number(low)} to {number(high)})"


def number(value: float) -> str:
    """Three significant digits at least, thousands separated."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
