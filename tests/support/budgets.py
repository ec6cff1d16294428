"""Budgets for tests: on a real store, with people that need no accounts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from core.accounts.audit import record
from core.catalog.models import ModelSpec
from core.chat.allowance import Allowance
from core.clock import Clock, utc_now
from core.costs.budgets import Budgets
from core.costs.limits import Budget, RateLimit, Whom
from core.costs.output_lengths import OutputLengths
from core.costs.refusals import RefusalLog
from core.costs.token_budgets import TokenBudgets
from core.store.database import Database


@dataclass(frozen=True, slots=True)
class Folk:
    """Who has which role and is in which group."""

    roles: Mapping[str, str] = field(default_factory=lambda: {"ann": "member", "bob": "member", "eve": "admin"})
    groups: Mapping[str, Collection[str]] = field(default_factory=lambda: {"research": ("ann", "bob")})

    def role_of(self, user_id: str) -> str | None:
        """The role of a person."""
        return self.roles.get(user_id)

    def groups_of(self, user_id: str) -> Collection[str]:
        """The groups of a person."""
        return [group for group, members in self.groups.items() if user_id in members]

    def holders_of(self, role: str) -> Collection[str]:
        """The people with a role."""
        return [user_id for user_id, held in self.roles.items() if held == role]

    def members_of(self, group_id: str) -> Collection[str]:
        """The people in a group."""
        return self.groups.get(group_id, ())

    def name_of(self, audience: str, subject: str) -> str:
        """What somebody is called."""
        return subject if audience == "role" else subject.title()


def make_budgets(
    database: Database,
    *limits: Budget | RateLimit,
    people: Folk | None = None,
    zone: tzinfo = UTC,
    clock: Clock = utc_now,
) -> Budgets:
    """Budgets on a store, with these limits set."""
    made = Budgets(database, people=people or Folk(), record=record, zone=lambda: zone, clock=clock)
    for limit in limits:
        made.save(limit, actor_id=None)
    return made


def allowance(
    budgets: Budgets,
    database: Database,
    *,
    candidates: Callable[[str], Mapping[str, ModelSpec]] = lambda _user_id: {},
    clock: Clock = utc_now,
    tokens: TokenBudgets | None = None,
) -> Allowance:
    """What an engine asks, with the published lengths of answers."""
    return Allowance(
        budgets,
        lengths=OutputLengths,
        candidates=candidates,
        refusals=RefusalLog(database, clock=clock),
        clock=clock,
        tokens=tokens,
    )


def budget(amount_usd: str, **fields: Any) -> Budget:
    """A hard monthly budget for each person, unless said otherwise."""
    whom = Whom(
        audience=fields.pop("audience", "everyone"),
        subject=fields.pop("subject", ""),
        shared=fields.pop("shared", False),
    )
    return Budget(**{"id": "", "whom": whom, "period": "month", "amount_usd": Decimal(amount_usd), **fields})


def rate(**fields: Any) -> RateLimit:
    """A rate limit for each person, unless said otherwise."""
    whom = Whom(
        audience=fields.pop("audience", "everyone"),
        subject=fields.pop("subject", ""),
        shared=fields.pop("shared", False),
    )
    return RateLimit(**{"id": "", "whom": whom, **fields})
