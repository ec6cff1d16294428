"""What the budgets leave of what was spent, below the figures of the overview."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, tzinfo
from decimal import Decimal

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.forecast import Forecast
from core.costs.limits import budget_words
from core.costs.standing import Standing
from core.costs.usage_filter import UsageFilter
from ui import formats
from ui.budget_line import at_least, coloured
from ui.markdown import literal
from ui.times import local_time

_MOST = 4


def draw_budgets(services: Services, user: User, chosen: UsageFilter, forecast: Forecast | None) -> None:
    """The budgets that what is shown counts against: one's own, or those that the team shares.

    With a filter on models or the like nothing is said: a budget knows no filters.
    """
    mine = not user.is_admin or chosen.users == (user.id,)
    if set(chosen.narrowed) - ({"users"} if mine else set()):
        return
    standings = _standings(services, user, mine=mine)
    for standing in standings[:_MOST]:
        spent = f"{at_least(standing)}{formats.money(standing.balance.spent.usd)}"
        words = (
            f"{spent} of {budget_words(standing.budget, services.budgets.people)}, {left_until(standing, chosen.zone)}"
        )
        share = float(min(Decimal(1), max(Decimal(0), standing.share)))
        st.progress(share, coloured(standing.level, literal(words[:1].upper() + words[1:] + _over(standing, forecast))))


def _standings(services: Services, user: User, *, mine: bool) -> Sequence[Standing]:
    if mine:
        return services.budgets.standings(user.id)
    return [standing for standing in services.budgets.everybody() if standing.user_id is None]


def left_until(standing: Standing, zone: tzinfo) -> str:
    """`$3.15 left until 1 December`, with the hour where the team's midnight is none in `zone`."""
    renews = local_time(standing.renews_at, zone)
    left = standing.balance.left_usd
    rest = f"{formats.money(left)} left" if left > 0 else "nothing left"
    hour = "" if renews.time() == time() else f", {renews:%H:%M}"
    return f"{rest} until {renews.day} {renews:%B}{hour}"


def _over(standing: Standing, forecast: Forecast | None) -> str:
    """Whether the month is on the way to more than a budget of everybody's allows."""
    whole = standing.budget.period == "month" and standing.budget.whom.audience == "everyone"
    amount = standing.budget.amount_usd
    if forecast is None or not whole or forecast.expected_usd <= amount:
        return ""
    return f"; the forecast is {formats.money(forecast.expected_usd - amount)} over it"
