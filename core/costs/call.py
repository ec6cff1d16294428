"""A call before it is made, as far as budgets and rate limits are concerned."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.costs.estimate import CostRange

Kind = Literal["first", "instead", "more"]


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """What an API token may spend in a calendar month (UTC)."""

    id: str
    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call before it is made.

    `tokens` are about what it takes, input and output, and `output_tokens` those of the output alone. `background`:
    nobody asked for it, as for a title or a probe; it takes none of a person's requests per minute. `token` pays beside
    the person's budgets.
    """

    turn_id: str
    user_id: str
    model_id: str
    model_label: str
    cost: CostRange
    tokens: int
    output_tokens: int = 0
    source: str = "chat"
    token: TokenBudget | None = None

    @property
    def background(self) -> bool:
        """Whether nobody asked for it."""
        return self.source in {"title", "probe", "summary"}
