"""Budgets and rate limits as administrators set them: whom they are for, what they allow, how they are said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol, get_args

from core.costs.ledger import NOBODY
from core.costs.periods import PERIODS, Period
from core.costs.words import money
from core.errors import BudgetError

Audience = Literal["everyone", "role", "group", "user"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)
# The field's usual mark: early enough to change one's ways, late enough to be believed.
WARN_PERCENT = 80

# What DECIMAL(18,9) holds.
_MOST_USD = Decimal(1_000_000_000)
_MOST_PER_MINUTE = 1_000_000_000
_RESOLUTION = Decimal("0.000000001")
_ALL = 100


class People(Protocol):
    """Who is who, as things are now. No call of it may cost a query for a message, but for a look at a version."""

    def role_of(self, user_id: str) -> str | None:
        """The role of a person; None for nobody that is known."""

    def groups_of(self, user_id: str) -> Collection[str]:
        """The ids of the groups somebody is in."""

    def holders_of(self, role: str) -> Collection[str]:
        """The ids of the people with this role."""

    def members_of(self, group_id: str) -> Collection[str]:
        """The ids of the people in a group; nobody for one that is gone."""

    def name_of(self, audience: Audience, subject: str) -> str:
        """What a role, group or person is called; a group or person that is gone says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Whom a limit is for.

    `shared`: one amount for all of them together. Otherwise each of them has it for themselves; one person has it
    alone either way. `subject` is a role, the id of a group or of a person, and empty for everyone.
    """

    audience: Audience = "everyone"
    subject: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent in a period.

    A hard one refuses a call before it is made; any warns from `warn_percent` of the amount on. A call without a known
    price passes a hard one if `allow_unpriced`, because nobody can say what it costs. `created_at` is naive UTC.
    """

    id: str
    whom: Whom
    period: Period
    amount_usd: Decimal
    hard: bool = True
    warn_percent: int = WARN_PERCENT
    allow_unpriced: bool = True
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many requests and tokens (input and output) a minute; of one model, or of any where `model_id` is None."""

    id: str
    whom: Whom
    model_id: str | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    created_at: datetime | None = None


def concerns(whom: Whom, user_id: str, people: People) -> bool:
    """Whether a limit for these people binds this person. Calls of nobody are bound by what everyone shares."""
    match whom.audience:
        case "everyone":
            return whom.shared or user_id != NOBODY
        case "user":
            return whom.subject == user_id
        case "role":
            return people.role_of(user_id) == whom.subject
        case "group":
            return whom.subject in people.groups_of(user_id)


def payers(whom: Whom, user_id: str, people: People) -> Collection[str] | None:
    """Whose calls count together with this person's; None: everybody's."""
    if not whom.shared or whom.audience == "user":
        return (user_id,)
    match whom.audience:
        case "role":
            return people.holders_of(whom.subject)
        case "group":
            return people.members_of(whom.subject)
        case _:
            return None


def in_force(budgets: Sequence[Budget], user_id: str, people: People) -> list[Budget]:
    """The budgets that bind a person.

    What everyone has for themselves is a default: a person with a budget of their own for the same period and of the
    same kind has that one instead. All others hold side by side.
    """
    bound = [budget for budget in budgets if concerns(budget.whom, user_id, people)]
    own = {(budget.period, budget.hard) for budget in bound if budget.whom.audience == "user"}
    return [budget for budget in bound if not (is_default(budget.whom) and (budget.period, budget.hard) in own)]


def is_default(whom: Whom) -> bool:
    """Whether it is what everyone has for themselves."""
    return whom.audience == "everyone" and not whom.shared


def whom_words(whom: Whom, people: People) -> str:
    """`for each person`, `for everybody together`, `for each in Research`, `shared by Research`, `for Ann`."""
    if whom.audience == "everyone":
        return "for everybody together" if whom.shared else "for each person"
    name = people.name_of(whom.audience, whom.subject)
    if whom.audience == "user":
        return f"for {name}"
    if whom.audience == "role":
        return f"shared by all {name}s" if whom.shared else f"for each {name}"
    return f"shared by {name}" if whom.shared else f"for each in {name}"


def budget_words(budget: Budget, people: People) -> str:
    """`$50.00 a month for each person`."""
    return f"{money(budget.amount_usd)} a {budget.period} {whom_words(budget.whom, people)}"


def rate_words(limit: RateLimit, people: People, *, model: str | None = None) -> str:
    """`10 requests and 20,000 tokens a minute of GPT-5 mini for each person`; `model` is what people call the model."""
    named = (("requests", limit.requests_per_minute), ("tokens", limit.tokens_per_minute))
    amounts = " and ".join(
        f"{amount:,} {what.removesuffix('s') if amount == 1 else what}" for what, amount in named if amount is not None
    )
    of = f" of {model or limit.model_id}" if limit.model_id else ""
    return f"{amounts} a minute{of} {whom_words(limit.whom, people)}"


def check_budget(budget: Budget) -> Budget:
    """The budget as it can be kept. Raises BudgetError saying what is wrong."""
    _check_whom(budget.whom)
    if budget.period not in PERIODS:
        raise BudgetError("The budget has no period.", next_step="Choose day, week or month.")
    amount = budget.amount_usd
    if not amount.is_finite() or not 0 <= amount < _MOST_USD:
        raise BudgetError("That is no amount of money.", next_step="Type dollars, such as 50 or 12.50.")
    if amount != amount.quantize(_RESOLUTION):
        raise BudgetError("The amount has too many decimals.", next_step="Type at most nine.")
    if not 1 <= budget.warn_percent <= _ALL:
        raise BudgetError("The warning has to come at 1 to 100 % of the amount.", next_step="The usual is 80.")
    return budget


def check_rate_limit(limit: RateLimit) -> RateLimit:
    """The limit as it can be kept. Raises BudgetError saying what is wrong."""
    _check_whom(limit.whom)
    amounts = [amount for amount in (limit.requests_per_minute, limit.tokens_per_minute) if amount is not None]
    if not amounts:
        raise BudgetError("The limit limits nothing.", next_step="Type requests or tokens per minute.")
    if not all(1 <= amount <= _MOST_PER_MINUTE for amount in amounts):
        raise BudgetError(
            "A limit per minute is at least 1.", next_step="To close a model to somebody, use its access."
        )
    return limit


def _check_whom(whom: Whom) -> None:
    if whom.audience not in AUDIENCES:
        raise BudgetError("It is for nobody that is known.", next_step="Choose whom it is for.")
    if bool(whom.subject) == (whom.audience == "everyone"):
        raise BudgetError("It does not say whom it is for.", next_step=f"Choose the {whom.audience}.")
