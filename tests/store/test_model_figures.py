"""What each model took, from the ledger: medians of everybody's answers, one person's spending of the month."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.costs.model_figures import figures_by_model
from core.costs.pricing import Cost
from tests.support.attempts import add_attempt

NOW = datetime.fromisoformat("2026-11-23T12:00")
MONTH = datetime.fromisoformat("2026-11-01")


@pytest.fixture(name="add")
def _add(database):
    def add(*, ago=timedelta(hours=1), first_s=1.0, took_s=3.0, tokens=20, cost="0.5", user="ann", **fields):
        usd = None if cost is None else Decimal(cost)
        add_attempt(
            database,
            ended_at=NOW - ago + timedelta(seconds=took_s),
            lasted_s=took_s,
            first_token_ms=None if first_s is None else first_s * 1000,
            tokens=tokens,
            user_id=user,
            cost=Cost(cost_usd=usd, code="computed", computed_cost_usd=usd, reported_cost_usd=None),
            **fields,
        )

    return add


@pytest.fixture(name="figures")
def _figures(database):
    return lambda user="ann": figures_by_model(database, user_id=user, month=MONTH, now=NOW)


def test_an_empty_ledger_has_no_figures(figures):
    assert figures() == {}


def test_medians_are_of_everybodys_answers(add, figures):
    for first_s in (1.0, 2.0, 9.0):
        add(first_s=first_s, took_s=first_s + 2, user="bob")

    found = figures()["gpt"]
    assert (found.answers, found.first_token_ms, found.tokens_per_second) == (3, 2000.0, 10.0)
    assert (found.calls, found.spent_usd) == (0, Decimal(0))


def test_spending_is_ones_own_since_the_month_began(add, figures):
    add(cost="0.000000001")
    add(cost="1.25")
    add(cost="7", user="bob")
    add(cost="9", ago=timedelta(days=23))

    found = figures()["gpt"]
    assert (found.calls, found.spent_usd, found.unpriced) == (2, Decimal("1.250000001"), 0)
    assert found.answers == 3


def test_an_unpriced_call_is_counted_and_not_summed(add, figures):
    add(cost=None)
    add(cost="1")

    found = figures()["gpt"]
    assert (found.calls, found.unpriced, found.spent_usd) == (2, 1, Decimal(1))


def test_a_failure_costs_and_has_no_speed(add, figures):
    add(status="server", served_model=None, first_s=None, tokens=0)

    found = figures()["gpt"]
    assert (found.answers, found.first_token_ms, found.tokens_per_second) == (0, None, None)
    assert (found.calls, found.spent_usd) == (1, Decimal("0.5"))


def test_what_is_older_than_a_month_is_not_measured(add, figures):
    add(ago=timedelta(days=31))

    assert figures() == {}


def test_an_answer_that_came_all_at_once_has_no_speed(add, figures):
    add(first_s=3.0, took_s=3.0)

    assert figures()["gpt"].tokens_per_second is None
