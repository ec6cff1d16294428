"""What is left to the person who is signed in: a quiet line in the sidebar, and all of it on the Settings page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from decimal import Decimal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.limits import Budget, People, budget_words, concerns, rate_words
from core.costs.refusals import local_moment
from core.costs.standing import Level, Standing
from core.costs.words import money
from ui.costs_words import capital
from ui.markdown import literal

THIS_PERIOD = {"day": "today", "week": "this week", "month": "this month"}
_WHOLE = 100
# Marks beside the colours: colour alone says nothing to some.
_MARKS: Mapping[Level, str] = {"fine": "", "warned": ":material/warning: ", "spent": ":material/block: "}
_COLOURS: Mapping[Level, str] = {"warned": "orange", "spent": "red"}
# The design's accent, and its yellow and red that show on light and on dark.
_ACCENT, _ACCENT_ON_DARK = "#4F5BD5", "#8B94F0"
_BARS: Mapping[Level, str] = {"warned": "#EFB118", "spent": "#FF725C"}


def draw_budget_line(services: Services, user: User, slot: DeltaGenerator) -> None:
    """The tightest budget in one line with a thin bar, all of them on hover; nothing where there is none."""
    standings = services.budgets.standings(user.id)
    if not standings:
        slot.empty()
        return
    first, people = standings[0], services.budgets.people
    words = (literal(long_words(one, people=people, zone=services.budgets.zone)) for one in standings)
    with slot.container(gap="xxsmall"):
        st.caption(coloured(first.level, literal(short_words(first, people))), help="  \n".join(words))
        st.html(bar_html(first, dark=st.context.theme.type == "dark"))


def bar_html(standing: Standing, *, dark: bool) -> str:
    """How much of a budget is used, as a thin bar."""
    percent = min(_WHOLE, int(standing.share * _WHOLE))
    colour = _BARS.get(standing.level) or (_ACCENT_ON_DARK if dark else _ACCENT)
    return (
        f'<div class="budget-bar" role="progressbar" aria-label="Budget used" aria-valuenow="{percent}" '
        f'aria-valuemin="0" aria-valuemax="100"><div style="width: {percent}%; background: {colour}"></div></div>'
    )


def coloured(level: Level, text: str) -> str:
    """A line about a budget in the colour of its level, with a mark beside the colour."""
    return f":{_COLOURS[level]}[{_MARKS[level]}{text}]" if level in _COLOURS else text


def short_words(standing: Standing, people: People) -> str:
    """`$12.40 of $50 this month`; of a shared one also who shares it."""
    budget = standing.budget
    spent = f"{at_least(standing)}{money(standing.balance.spent.usd)}"
    words = f"{capital(spent)} of {amount(budget.amount_usd)} {THIS_PERIOD[budget.period]}"
    if not budget.whom.shared or budget.whom.audience == "user":
        return words
    everybody = budget.whom.audience == "everyone"
    return (
        f"{words}, {'everybody' if everybody else people.name_of(budget.whom.audience, budget.whom.subject)} together"
    )


def left_words(standing: Standing) -> str:
    """`$0.01 left this month`, for beside the price of a message that costs more."""
    return f"{money(max(Decimal(0), standing.balance.left_usd))} left {THIS_PERIOD[standing.budget.period]}"


def long_words(standing: Standing, *, people: People, zone: tzinfo) -> str:
    """`$12.40 of $50.00 a month for each person, renews Tue 1 Dec, 00:00 (UTC)`; and what is not sure about it."""
    spent, held_usd = standing.balance.spent, standing.balance.held_usd
    first = f"{at_least(standing)}{money(spent.usd)} of {budget_words(standing.budget, people)}"
    parts = [capital(first)]
    if held_usd:
        parts.append(f"up to {money(held_usd)} more for answers under way")
    parts.append(f"renews {local_moment(standing.renews_at, zone)}")
    return ", ".join(parts) + ("" if standing.budget.hard else "; warns only")


def at_least(standing: Standing) -> str:
    """What stands before a sum to which calls without a known price belong."""
    return "at least " if standing.balance.spent.unpriced else ""


def amount(usd: Decimal) -> str:
    """An amount that somebody set: `$50`, `$12.50`."""
    return money(usd).removesuffix(".00")


def draw_own_budgets(services: Services, user: User) -> None:
    """Every budget and limit that binds this person."""
    budgets, people = services.budgets, services.budgets.people
    standings = budgets.standings(user.id)
    for standing in standings:
        _draw_standing(standing, people=people, zone=budgets.zone)
    models = services.registry.current().models
    for limit in budgets.rate_limits:
        if concerns(limit.whom, user.id, people):
            model = models.get(limit.model_id or "")
            words = rate_words(limit, people, model=model.label if model else None)
            st.caption(f":material/speed: {literal(f'At most {words}.')}")
    if not standings and not any(concerns(limit.whom, user.id, people) for limit in budgets.rate_limits):
        st.caption("No budget and no limit binds you.")


def _draw_standing(standing: Standing, *, people: People, zone: tzinfo) -> None:
    words = literal(long_words(standing, people=people, zone=zone))
    st.progress(min(1.0, float(standing.share)), text=coloured(standing.level, words))
    if standing.balance.spent.unpriced:
        st.caption(_unpriced(standing.budget, standing.balance.spent.unpriced))


def _unpriced(budget: Budget, calls: int) -> str:
    which = "One call" if calls == 1 else f"{calls:,} calls"
    rest = "" if budget.allow_unpriced or not budget.hard else " Such models are closed under this budget."
    return f"{which} beside it without a known price.{rest}"
