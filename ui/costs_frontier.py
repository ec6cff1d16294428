"""The frontier on the Replay tab: cost against the team's ratings, or against time where those are missing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.arena.ratings import SHOWN_FROM, Rating
from core.bootstrap import Services
from core.catalog.models import ModelSpec
from core.costs.frontier import Frontier, frontier, standings
from core.costs.usage_filter import UsageFilter
from ui import formats
from ui.costs_values import labels_apart
from ui.costs_words import few
from ui.frontier_chart import frontier_chart
from ui.markdown import literal

_TABLE_PX = 400
_COLUMNS = {
    "Per answer": st.column_config.Column(help="Mean cost of an answer in the chosen time"),
    "Rating": st.column_config.Column(help="From the team's blind votes"),
    "95 % range": st.column_config.Column(help="Where the rating is with a certainty of 95 %, from votes drawn again"),
    "Votes": st.column_config.Column(help="Blind votes that the rating is made of"),
    "Per win": st.column_config.Column(
        help="What its answers cost for each one that was voted the better: cost per answer over the share of votes won"
    ),
    "First token": st.column_config.Column(help="Median"),
    "Duration": st.column_config.Column(help="Median time from the question to the last word"),
    "Beaten by": st.column_config.Column(help="The cheapest model that costs no more and is no slower or worse"),
}
_MONEY = ("Per answer", "Per win")
_OF_VOTES = ("Rating", "95 % range", "Votes")


def draw_frontier(services: Services, user: User, chosen: UsageFilter, models: Mapping[str, ModelSpec]) -> None:
    """What the chosen calls say of cost and quality, model by model, and which models another one beats."""
    use_case = chosen.use_cases[0] if len(chosen.use_cases) == 1 and chosen.use_cases[0] else None
    rated = _rated(services, use_case)
    found = _found(services, user, chosen, rated, use_case)
    st.subheader("Cost against quality" if found.by_quality else "Cost against time", anchor=False)
    if not found.standings:
        st.caption("A model is shown here from 20 priced answers on; none has as many in the chosen time.")
        return
    known = labels_apart(models)
    labels = {one.model_id: known.get(one.model_id, one.model_id) for one in found.standings}
    st.caption(literal(measure_words(found, labels, use_case)))
    words = standing_words(found, labels)
    st.altair_chart(frontier_chart(found, labels), width="stretch", height=340, alt=words)
    st.caption(literal(words))
    st.dataframe(
        _table(found, labels, rated),
        hide_index=True,
        placeholder="-",
        column_config=_COLUMNS,
        height=min(_TABLE_PX, 38 + 35 * len(found.standings)),
        alt="Cost, time and standing of every model with at least 20 answers",
    )


def measure_words(found: Frontier, labels: Mapping[str, str], use_case: str | None) -> str:
    """What the models are compared by, and what is missing for their quality."""
    votes = "blind votes" if use_case is None else f"blind votes for {use_case.replace('_', ' ')}"
    missing = [labels[one.model_id] for one in found.unrated]
    if found.by_quality:
        words = f"Quality is the rating from the team's {votes}, of all time."
        return f"{words} Without {SHOWN_FROM} of them, and so without a place: {few(missing)}." if missing else words
    return (
        f"By time, not quality: that takes {SHOWN_FROM} {votes} on each of two models. "
        f"Missing for {len(missing)} of {len(found.standings)}: {few(missing)}."
    )


def standing_words(found: Frontier, labels: Mapping[str, str]) -> str:
    """Which models nothing beats, and which one beats each of the others."""
    best = [labels[one.model_id] for one in found.placed if one.model_id not in found.beaten_by]
    beaten = [f"{labels[name]} by {labels[better]}" for name, better in found.beaten_by.items()]
    against = "rating" if found.by_quality else "median seconds"
    words = f"Cost per answer against {against}. Not beaten: {few(best)}."
    return f"{words} Beaten on both: {few(beaten)}." if beaten else words


def _rated(services: Services, use_case: str | None) -> Mapping[str, Rating]:
    board = services.evidence.current().boards.get(use_case)
    return {one.model_id: one for one in board.ratings} if board else {}


def _found(
    services: Services, user: User, chosen: UsageFilter, rated: Mapping[str, Rating], use_case: str | None
) -> Frontier:
    records = services.evidence.current().records.get(use_case, {})
    ratings = {name: one.rating for name, one in rated.items()}
    shares = {name: one.wins / one.votes for name, one in records.items() if one.votes >= SHOWN_FROM}
    return frontier(standings(services.ledger, chosen, viewer=user, ratings=ratings, win_shares=shares))


def _table(found: Frontier, labels: Mapping[str, str], rated: Mapping[str, Rating]) -> object:
    frame = pd.DataFrame(
        [
            {
                "Model": labels[one.model_id],
                "Per answer": _number(one.cost_per_answer_usd),
                **_rating_cells(rated.get(one.model_id)),
                "Per win": _number(one.cost_per_win_usd),
                "First token": one.first_token_ms,
                "Duration": one.duration_ms,
                "Answers": one.answers,
                "Beaten by": labels.get(found.beaten_by.get(one.model_id, ""), ""),
            }
            for one in found.standings
        ]
    )
    frame = frame.drop(columns=[name for name in (*_OF_VOTES, "Per win") if frame[name].isna().all()])
    money = frame.columns.intersection(list(_MONEY))
    frame[money] = frame[money].apply(pd.to_numeric)
    style = frame.style.format(formats.dollars, subset=money, na_rep="").format("{:,}", subset=["Answers"])
    if "Rating" in frame:
        style = style.format("{:,.0f}", subset=["Rating", "Votes"], na_rep="")
    return style.format(_duration, subset=["First token", "Duration"], na_rep="")


def _rating_cells(rating: Rating | None) -> dict[str, float | str | None]:
    if rating is None:
        return dict.fromkeys(_OF_VOTES)
    return {"Rating": rating.rating, "95 % range": f"{rating.low:,.0f} to {rating.high:,.0f}", "Votes": rating.votes}


def _number(amount_usd: Decimal | None) -> float | None:
    return None if amount_usd is None else float(amount_usd)


def _duration(milliseconds: Any) -> str:
    return formats.duration(float(milliseconds))
