"""What a budget leaves, in words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.costs.limits import Budget, Whom
from core.costs.spending import Balance, Sum
from core.costs.standing import Standing
from ui.costs_budgets import left_until


@pytest.mark.parametrize(
    ("zone", "spent", "words"),
    [
        ("UTC", "4.5", "$0.50 left until 1 December"),
        ("America/Santiago", "4.5", "$0.50 left until 30 November, 21:00"),
        ("Asia/Kolkata", "6", "nothing left until 1 December, 05:30"),
    ],
)
def test_a_budget_renews_on_the_clock_of_whoever_looks(zone, spent, words):
    standing = Standing(
        budget=Budget(id="b", whom=Whom(), period="month", amount_usd=Decimal(5)),
        balance=Balance(spent=Sum(Decimal(spent)), held_usd=Decimal(0), amount_usd=Decimal(5)),
        renews_at=datetime(2026, 12, 1),  # noqa: DTZ001 - naive UTC
    )

    assert left_until(standing, ZoneInfo(zone)) == words
