"""The report of a run as tables and as CSV. People's votes and machine judgements never share a column."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

import pandas as pd
import streamlit as st

from core.arena.set_report import ALL, Line, Score, SetReport, load_report, report_state
from core.arena.set_runs import SetRun
from core.bootstrap import Services
from core.spreadsheet import safe_cell
from core.store.database import Database
from ui import formats
from ui.markdown import literal
from ui.times import local_time, viewer_zone

_MOST_RUNS = 10
_LIVE_S = 60
# A long name leaves the figures in sight, on a phone too; how far a model is has room for what failed.
_WIDTHS = {"Model": st.column_config.TextColumn(width=160), "Answered": st.column_config.TextColumn(width=130)}
_EVERY_S = 2.0
_CSV = [
    "run_id",
    "run_utc",
    "category",
    "model_id",
    "model",
    "answered",
    "failed",
    "waiting",
    "people_wins",
    "people_ties",
    "people_losses",
    "machine_wins",
    "machine_ties",
    "machine_losses",
    "mean_cost_usd",
    "mean_input_tokens",
    "mean_output_tokens",
    "median_first_token_ms",
    "median_duration_ms",
]


def draw_report(services: Services, run: SetRun) -> None:
    """A run's figures: in all, then by category."""
    report = report_of(services, run)
    overall = _table(report, [line for line in report.lines if line.category is ALL])
    st.dataframe(overall, hide_index=True, column_config=_WIDTHS)
    st.caption(_basis(report))
    by_category = [line for line in report.lines if line.category is not ALL]
    with st.expander("By category", expanded=True, type="compact"):
        st.dataframe(_table(report, by_category, category=True), hide_index=True, column_config=_WIDTHS)
    st.download_button(
        "Download CSV",
        to_csv([report]),
        file_name=f"prompt-set-{run.created_at:%Y-%m-%d}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


@st.fragment(run_every=_EVERY_S)
def follow_report(services: Services, run: SetRun) -> None:
    """The same while answers come in."""
    draw_report(services, run)


def report_of(services: Services, run: SetRun) -> SetReport:
    """The report of a run; worked out anew only when something of it has changed."""
    return _kept_report(services.database, run.id, report_state(services.database, run.id), run)


@st.cache_data(ttl=_LIVE_S, max_entries=100, show_spinner=False)
def _kept_report(_database: Database, run_id: str, state: tuple[int, ...], _run: SetRun) -> SetReport:
    # The key is what the report was made of; corrected costs alone wait for the minute to pass.
    del run_id, state
    return load_report(_database, _run)


def draw_runs_table(services: Services, runs: Sequence[SetRun]) -> None:
    """The same set run by run: what changed since the last time. Worked out only when somebody opens it."""
    place = st.expander("Compare the runs", icon=":material/table_chart:", key="compare_runs", on_change="rerun")
    if not place.open:
        return
    shown = [report_of(services, run) for run in runs[:_MOST_RUNS]]
    with place:
        parts = [_table(report, list(report.overall().values()), began=True) for report in shown]
        st.dataframe(pd.concat(parts, ignore_index=True), hide_index=True, column_config=_WIDTHS)
        st.download_button(
            "Download CSV",
            to_csv(shown),
            file_name="prompt-set-runs.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def _table(report: SetReport, lines: Sequence[Line], *, category: bool = False, began: bool = False) -> pd.DataFrame:
    rows = []
    moment = local_time(report.run.created_at, viewer_zone()).strftime("%Y-%m-%d %H:%M")
    for line in lines:
        first = {"Run": moment} if began else {"Category": line.category} if category else {}
        rows.append({**first, "Model": report.run.models[line.model_id], **_cells(line)})
    return pd.DataFrame(rows)


def _cells(line: Line) -> dict[str, str]:
    return {
        "Answered": _progress(line),
        "People (won-tied-lost)": _score(line.people),
        "Machine (won-tied-lost)": _score(line.machine),
        "Cost per prompt": _money(line),
        "Tokens in / out": "" if line.input_tokens is None else f"{line.input_tokens:,.0f} / {line.output_tokens:,.0f}",
        "First token": "" if line.first_token_ms is None else formats.duration(line.first_token_ms),
        "Duration": "" if line.duration_ms is None else formats.duration(line.duration_ms),
    }


def _progress(line: Line) -> str:
    of = f" of {line.answered + line.failed + line.waiting}" if line.waiting else ""
    return f"{line.answered}{of}" + (f", {line.failed} failed" if line.failed else "")


def _score(score: Score) -> str:
    return f"{score.wins}-{score.ties}-{score.losses}" if score.games else ""


def _money(line: Line) -> str:
    if line.cost_usd is not None:
        return formats.money(line.cost_usd)
    return "unpriced" if line.answered else ""


def _basis(report: SetReport) -> str:
    judged, votes = len(report.judged), report.votes
    words = [
        "Costs and tokens are means per answered prompt, times are medians per call.",
        f"People: {votes:,} {'vote' if votes == 1 else 'votes'}.",
    ]
    if judged or report.unreadable:
        cost = "unpriced" if report.judging_usd is None else formats.money(report.judging_usd)
        words.append(
            f"Machine judgements: {judged:,} {'pair' if judged == 1 else 'pairs'} in both orders, {report.disagreed:,} "
            f"with two different verdicts (a tie), {report.unreadable:,} unreadable; they cost {cost} and are in no "
            "rating."
        )
    return literal(" ".join(words))


def to_csv(reports: Sequence[SetReport]) -> bytes:
    """The lines of several runs, machine-readable; an empty category means all of them, an empty cost unpriced."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV)
    for report in reports:
        for line in report.lines:
            writer.writerow(_csv_row(report.run, line))
    return text.getvalue().encode()


def _csv_row(run: SetRun, line: Line) -> list[object]:
    scores = [getattr(score, name) for score in (line.people, line.machine) for name in ("wins", "ties", "losses")]
    cost = "" if line.cost_usd is None else f"{line.cost_usd.quantize(Decimal('1e-9')):f}"
    figures = (line.input_tokens, line.output_tokens, line.first_token_ms, line.duration_ms)
    return [
        run.id,
        run.created_at.isoformat(timespec="seconds"),
        safe_cell(line.category or ""),
        safe_cell(line.model_id),
        safe_cell(run.models[line.model_id]),
        line.answered,
        line.failed,
        line.waiting,
        *scores,
        cost,
        *("" if figure is None else round(figure, 1) for figure in figures),
    ]
