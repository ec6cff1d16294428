"""How a budget stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from core.costs.limits import Budget
from core.costs.spending import Balance

Level = Literal["fine", "warned", "spent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one budget stands for one person, or for all who share it (`user_id` is None). `renews_at` is naive UTC."""

    budget: Budget
    balance: Balance
    renews_at: datetime
    user_id: str | None = None

    @property
    def share(self) -> Decimal:
        """What is spent of it, from 0; above 1 when it is overdrawn. A budget of nothing is spent."""
        amount = self.budget.amount_usd
        return self.balance.spent.usd / amount if amount else Decimal(1)

    @property
    def level(self) -> Level:
        """Whether people have to be warned, or a hard budget is spent."""
        if self.share >= 1 and self.budget.hard:
            return "spent"
        return "warned" if self.share * 100 >= self.budget.warn_percent else "fine"
