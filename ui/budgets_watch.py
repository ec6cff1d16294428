"""What the Admin page shows of what budgets did: who is near the edge, and who was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.limits import budget_words, whom_words
from core.costs.refusals import local_moment
from core.costs.standing import Standing
from core.costs.words import money
from ui.budget_line import at_least
from ui.limit_words import as_sentence, model_label
from ui.tables import list_height, time_column, utc_times

_SHOWN_REFUSALS = 200
_EDGE_NOTE = (
    "The most used first. Each person's own are here once they have spent something. A group's counts what its present "
    "members spent in the period."
)
_LEVELS = {"fine": "", "warned": "warned", "spent": "spent"}


def draw_edge(services: Services, people: Sequence[User]) -> None:
    """How far each budget is used, the most used first."""
    standings = services.budgets.everybody()
    if not standings:
        st.caption("Nobody has spent anything of a budget yet.")
        return
    st.caption(_EDGE_NOTE)
    names = {user.id: user.display_name for user in people}
    everybody, zone = services.budgets.people, services.budgets.zone
    columns: dict[str, list[Any]] = {
        "Who": [_who(standing, names, services) for standing in standings],
        "Used": [int(standing.share * 100) for standing in standings],
        "": [_LEVELS[standing.level] for standing in standings],
        "Spent": [f"{at_least(standing)}{money(standing.balance.spent.usd)}" for standing in standings],
        "Of": [budget_words(standing.budget, everybody) for standing in standings],
        "Renews": [local_moment(standing.renews_at, zone) for standing in standings],
    }
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=list_height(len(standings)),
        column_config={
            "Who": st.column_config.TextColumn(width="medium"),
            "Used": st.column_config.ProgressColumn(format="%d %%", min_value=0, max_value=100),
        },
        alt="How far each budget is used, the most used first",
    )


def draw_refusals(services: Services, people: Sequence[User]) -> None:
    """Calls that a budget or a limit refused, the newest first."""
    refusals = services.refusals.newest(limit=_SHOWN_REFUSALS)
    if not refusals:
        st.caption("Nobody was refused in the last 90 days.")
        return
    names = {user.id: user.display_name for user in people}
    models = services.registry.current().models
    columns: dict[str, Any] = {
        "When": utc_times([one.refused_at for one in refusals]),
        "Who": [names.get(one.user_id, "A person who is gone") for one in refusals],
        "Model": [
            ", ".join(model_label(models, name) or name for name in one.model_id.split(", ")) for one in refusals
        ],
        "Where": [one.source for one in refusals],
        "Why": [one.reason for one in refusals],
    }
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=list_height(len(refusals)),
        # A name of 80 characters would leave no room for the reason.
        column_config={"When": time_column(year=False), "Who": st.column_config.TextColumn(width="medium")},
        alt="Calls that a budget or a limit refused, newest first; at most one a minute for each person and limit",
    )


def _who(standing: Standing, names: Mapping[str, str], services: Services) -> str:
    if standing.user_id is None:
        return as_sentence(whom_words(standing.budget.whom, services.budgets.people))
    return names.get(standing.user_id, "A person who is gone")
