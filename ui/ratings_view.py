"""What the Ratings page draws: the board with its intervals, who beat whom, how it came about, and weaker evidence."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.arena.ratings import RANKED_FROM, SHOWN_FROM, Board
from core.arena.weak_evidence import WeakEvidence, weak_evidence
from core.bootstrap import Services
from core.clock import utc_now
from core.spreadsheet import safe_cell
from ui import ratings_charts
from ui.formats import counted
from ui.markdown import literal

_USE_CASE, _STYLE = "ratings_use_case", "ratings_style"
_ALL = "all"
_HISTORY = timedelta(days=84)
_STYLE_HELP = (
    "People like long, neatly laid out answers. With this on, the rating is what remains when length, lists and "
    "headers of both answers are taken into account."
)


def draw_ratings(services: Services) -> None:
    """The whole page."""
    counts = services.boards.use_cases()
    votes = sum(counts.values())
    if not votes:
        st.info(
            f"No votes yet. A model is shown from {SHOWN_FROM} votes on and ranked from {RANKED_FROM}. "
            "Vote on the page of blind votes.",
            icon=":material/how_to_vote:",
        )
    else:
        _draw_boards(services, counts)
    _draw_weak(services)


def _draw_boards(services: Services, counts: Mapping[str | None, int]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = [_ALL, *(name for name in counts if name)]
        chosen = st.selectbox(
            "Use case", options, key=_USE_CASE, format_func=partial(_use_case_words, counts), width=260
        )
        style = st.toggle("Control for style", key=_STYLE, help=_STYLE_HELP)
    use_case = None if chosen == _ALL else chosen
    board = _worked_out(services, use_case, style=style)
    labels = _labels(services)
    if not board.ratings:
        st.caption(f"{counted(board.votes, 'vote')} so far; no model has {SHOWN_FROM} yet.")
        return
    st.altair_chart(
        ratings_charts.interval_chart(board, labels), width="stretch", alt="Ratings of models with their intervals"
    )
    _draw_table(board, labels)
    _draw_details(services, use_case, labels, best_first=[one.model_id for one in board.ratings])


def _worked_out(services: Services, use_case: str | None, *, style: bool) -> Board:
    place = st.empty()
    # Kept until a vote changes it: mostly this takes no time, and then nothing is shown.
    board = services.boards.board(use_case, style=style, progress=partial(_show, place))
    place.empty()
    return board


def _show(place: DeltaGenerator, share: float) -> None:
    place.progress(share, "Working out the ratings")


def _draw_table(board: Board, labels: Mapping[str, str]) -> None:
    frame = pd.DataFrame(
        [
            {
                "Rank": one.rank,
                "Model": labels[one.model_id],
                "Rating": round(one.rating),
                "Low": round(one.low),
                "High": round(one.high),
                "Votes": one.votes,
            }
            for one in board.ratings
        ]
    ).astype({"Rank": "Int64"})
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="too few votes",
        column_config={
            "Rank": st.column_config.NumberColumn(
                help=f"Models share a rank when their intervals meet; from {RANKED_FROM} votes on"
            ),
            "Rating": st.column_config.NumberColumn(help="400 points more are ten times the odds of winning"),
            "Low": st.column_config.NumberColumn(help="The 95 % interval, by bootstrap"),
            "High": st.column_config.NumberColumn(help="The 95 % interval, by bootstrap"),
        },
        alt="Models by rating",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_below(board, labels), width="stretch")
        st.download_button(
            "CSV",
            data=partial(_to_csv, board, labels),
            file_name="ratings.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def _below(board: Board, labels: Mapping[str, str]) -> str:
    parts = [f"{counted(board.votes, 'vote')}, ties and both bad count half."]
    if board.too_few:
        few = ", ".join(f"{literal(labels[name])} ({count})" for name, count in sorted(board.too_few.items()))
        parts.append(f"Fewer than {SHOWN_FROM} votes: {few}.")
    if board.style:
        effect = ", ".join(f"{name} {value:+.2f}" for name, value in board.style.items())
        parts.append(f"What style alone does to the odds, as logarithms: {effect}.")
    return " ".join(parts)


def _draw_details(
    services: Services, use_case: str | None, labels: Mapping[str, str], *, best_first: Sequence[str]
) -> None:
    against, history = st.tabs(["Head to head", "Over time"], key="ratings_details", on_change="rerun")
    if against.open:
        with against:
            st.altair_chart(
                ratings_charts.matrix_chart(services.boards.head_to_head(use_case), labels, best_first),
                width="stretch",
                alt="Share of votes that each model won against each other one",
            )
    if history.open:
        with history:
            place = st.empty()
            points = services.boards.history(
                use_case,
                now=utc_now(),
                over=_HISTORY,
                progress=partial(_show, place),
            )
            place.empty()
            st.altair_chart(
                ratings_charts.history_chart(points, labels), width="stretch", alt="Ratings over the last twelve weeks"
            )


def _draw_weak(services: Services) -> None:
    found = weak_evidence(services.database, since=utc_now() - timedelta(days=90))
    if not found:
        return
    labels = _labels(services)
    with st.expander("Weaker evidence, kept apart", type="compact"):
        st.caption(
            "Thumbs, going on with one answer of a comparison, and asking another model again, over 90 days. They are "
            "given with the names in sight and by those who care to, so they count nothing in the ratings above; where "
            "there are no votes, a recommendation takes each as a tenth of one."
        )
        st.dataframe(
            pd.DataFrame([_weak_row(one, labels) for one in found]), hide_index=True, alt="Weaker evidence by model"
        )


def _weak_row(one: WeakEvidence, labels: Mapping[str, str]) -> dict[str, object]:
    return {
        "Model": labels[one.model_id],
        "Thumbs up": one.thumbs_up,
        "Thumbs down": one.thumbs_down,
        "Continued with": one.continued,
        "Asked instead": one.asked_instead,
        "Replaced by another": one.replaced,
    }


def _labels(services: Services) -> Mapping[str, str]:
    return _Ids({name: model.label for name, model in services.registry.current().models.items()})


class _Ids(dict[str, str]):
    """A model that is gone goes by its id."""

    def __missing__(self, key: str) -> str:
        return key


def _to_csv(board: Board, labels: Mapping[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["rank", "model_id", "model", "rating", "low_95", "high_95", "votes"])
    for one in board.ratings:
        figures: Sequence[object] = [round(one.rating, 1), round(one.low, 1), round(one.high, 1), one.votes]
        writer.writerow([one.rank or "", safe_cell(one.model_id), safe_cell(labels[one.model_id]), *figures])
    return text.getvalue().encode()


def _use_case_words(counts: Mapping[str | None, int], name: str) -> str:
    count = sum(counts.values()) if name == _ALL else counts[name]
    return f"{'All use cases' if name == _ALL else name.replace('_', ' ')} ({count:,})"
