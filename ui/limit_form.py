"""The fields of a budget and of a limit per minute on the Admin page, and reading them.

No `st.form`: what can be chosen depends on whom it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from core.accounts.users import User
from core.bootstrap import Services
from core.costs.cell_values import parse_dollars
from core.costs.limits import WARN_PERCENT, Audience, Budget, RateLimit, Whom
from core.costs.periods import PERIODS
from core.errors import BudgetError
from ui.people_view import person_title

# By what a person chooses. "Each" and "together" are different budgets, and stand beside each other.
_WHOM: dict[str, tuple[Audience, bool]] = {
    "Each person": ("everyone", False),
    "Everybody together": ("everyone", True),
    "One person": ("user", False),
    "Each member of a group": ("group", False),
    "A group together": ("group", True),
    "Each person with a role": ("role", False),
    "A role together": ("role", True),
}
_HELP = (
    "“Each”: everyone has the whole amount for themselves. “Together”: they share one amount. What each person has is "
    "a default: somebody with a budget of their own for the same period has that one instead. All others hold side by "
    "side, and the one with the least left decides."
)
_SUBJECT = {"user": "Person", "group": "Group", "role": "Role"}
_ROLES = {"member": "Member", "admin": "Administrator"}
_PERIODS = {"day": "Day", "week": "Week", "month": "Month"}
_KINDS = {True: "Refuse", False: "Only warn"}
_MOST_PER_MINUTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Fields:
    """The keys of one form's fields: a form for each limit, so that no value of one turns up in another."""

    prefix: str

    def key(self, name: str) -> str:
        """The key of a field in the session's state."""
        return f"{self.prefix}_{name}"

    def value(self, name: str) -> object:
        """What stands in a field."""
        return st.session_state.get(self.key(name))


def draw_budget_fields(services: Services, people: Sequence[User], fields: Fields, budget: Budget | None) -> None:
    """The fields of a budget, filled with `budget`."""
    _draw_whom(services, people, fields, budget.whom if budget else Whom())
    left, right = st.columns(2)
    with left:
        held = "" if budget is None else f"{budget.amount_usd.normalize():f}"
        st.text_input("Dollars", value=held, key=fields.key("amount"), placeholder="50", autocomplete="off")
    with right:
        st.segmented_control(
            "Every",
            PERIODS,
            key=fields.key("period"),
            default=budget.period if budget else "month",
            format_func=lambda period: _PERIODS[period],
            required=True,
        )
    left, right = st.columns(2)
    with left:
        st.segmented_control(
            "When it is spent",
            list(_KINDS),
            key=fields.key("hard"),
            default=budget.hard if budget else True,
            format_func=lambda hard: _KINDS[hard],
            required=True,
            help="“Refuse” stops a call before it is made, and an answer that uses up what is left. "
            "Free models and kept answers always pass.",
        )
    with right:
        warn = budget.warn_percent if budget else WARN_PERCENT
        st.number_input("Warn from (%)", 1, 100, warn, key=fields.key("warn"))
    st.checkbox(
        "Allow models without a known price",
        value=budget.allow_unpriced if budget else True,
        key=fields.key("unpriced"),
        help="Nobody can say what they cost, so no budget can hold on them. Their calls are counted beside the sum.",
    )


def read_budget(fields: Fields, budget_id: str = "") -> Budget:
    """The budget that the fields say. Raises BudgetError."""
    warn, period = fields.value("warn"), fields.value("period")
    return Budget(
        id=budget_id,
        whom=_read_whom(fields),
        period=next((known for known in PERIODS if known == period), "month"),
        amount_usd=read_dollars(str(fields.value("amount") or "")),
        hard=fields.value("hard") is not False,
        warn_percent=warn if isinstance(warn, int) else WARN_PERCENT,
        allow_unpriced=bool(fields.value("unpriced")),
    )


def draw_rate_fields(services: Services, people: Sequence[User], fields: Fields, limit: RateLimit | None) -> None:
    """The fields of a limit per minute, filled with `limit`."""
    _draw_whom(services, people, fields, limit.whom if limit else Whom())
    models = services.registry.current().models
    held = limit.model_id if limit else None
    options = [*models, *([held] if held is not None and held not in models else [])]
    st.selectbox(
        "Of the model",
        options,
        key=fields.key("model"),
        index=None if held is None else options.index(held),
        format_func=lambda model_id: models[model_id].label if model_id in models else f"{model_id} (no longer here)",
        placeholder="Any model",
    )
    left, right = st.columns(2)
    for place, name, label in ((left, "requests", "Requests a minute"), (right, "tokens", "Tokens a minute")):
        held_amount = None if limit is None else getattr(limit, f"{name}_per_minute")
        with place:
            st.number_input(
                label, 1, _MOST_PER_MINUTE, held_amount, step=1, key=fields.key(name), placeholder="No limit"
            )


def read_rate_limit(fields: Fields, limit_id: str = "") -> RateLimit:
    """The limit that the fields say. Raises BudgetError."""
    requests, tokens, model_id = (fields.value(name) for name in ("requests", "tokens", "model"))
    return RateLimit(
        id=limit_id,
        whom=_read_whom(fields),
        model_id=model_id if isinstance(model_id, str) else None,
        requests_per_minute=requests if isinstance(requests, int) else None,
        tokens_per_minute=tokens if isinstance(tokens, int) else None,
    )


def read_dollars(text: str) -> Decimal:
    """An amount as people type it: `50`, `12.50`, `$1,200`. Raises BudgetError."""
    try:
        return parse_dollars(text)
    except ValueError as error:
        raise BudgetError("That is no amount of money.", next_step="Type dollars, such as 50 or 12.50.") from error


def _draw_whom(services: Services, people: Sequence[User], fields: Fields, whom: Whom) -> None:
    left, right = st.columns(2)
    held = next((name for name, kind in _WHOM.items() if kind == (whom.audience, whom.shared)), "One person")
    with left:
        chosen = st.selectbox("For", list(_WHOM), index=list(_WHOM).index(held), key=fields.key("for"), help=_HELP)
    audience = _WHOM[chosen][0]
    if audience == "everyone":
        return
    options = _subjects(services, people, audience)
    with right:
        st.selectbox(
            _SUBJECT[audience],
            list(options),
            index=list(options).index(whom.subject) if whom.subject in options else None,
            key=fields.key(f"subject_{audience}"),
            format_func=lambda subject: options.get(subject, ""),
            placeholder=f"Choose a {_SUBJECT[audience].lower()}",
        )


def _subjects(services: Services, people: Sequence[User], audience: Audience) -> dict[str, str]:
    match audience:
        case "user":
            return {user.id: person_title(user) for user in people}
        case "group":
            return {group.id: group.name for group in services.groups.current()}
        case _:
            return _ROLES


def _read_whom(fields: Fields) -> Whom:
    audience, shared = _WHOM.get(str(fields.value("for")), ("everyone", False))
    subject = "" if audience == "everyone" else fields.value(f"subject_{audience}")
    return Whom(audience=audience, subject=subject if isinstance(subject, str) else "", shared=shared)
