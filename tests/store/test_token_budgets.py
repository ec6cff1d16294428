"""Budgets of API tokens on a real engine: they hold like those of people, in a purse of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from core.accounts.tokens import NewToken, create_token
from core.catalog.models import Prices
from core.costs.call import TokenBudget
from core.costs.token_budgets import TokenBudgets
from core.errors import LimitReached
from core.ids import new_id
from core.providers.events import Finished, TextDelta, Usage
from core.providers.scripted import Gate, ScriptedGateway, answer
from tests.support.budgets import allowance, make_budgets
from tests.support.moving_clock import MovingClock
from tests.support.people import add_person
from tests.support.turns import finish, model, rig

FREE = Prices(input=Decimal(0), output=Decimal(0))
# What an answer of 441 tokens costs at $15 per million: the high end of the estimate, but for a few tokens of input.
ABOUT_USD = Decimal("0.0067")
# Two tokens of output, at the same price.
PIECE = TextDelta(" green apples")


def of_cost(usd: str):
    return answer("Hello", usage=Usage(input_tokens=10, output_tokens=20, reported_cost_usd=Decimal(usd)))


@pytest.fixture(name="clock")
def _clock():
    return MovingClock()


@pytest.fixture(name="token")
def _token(database, clock):
    """A token with a budget for one call."""
    ann = add_person(database, "ann", clock=clock)
    wanted = NewToken(name="script", budget_usd=Decimal("0.0070"))
    return create_token(database, ann, wanted, actor_id=None, clock=clock)[1]


def limited(database, clock, *models, gateway=None):
    tokens = TokenBudgets(database, clock=clock)
    known = {spec.id: spec for spec in (models or (model(),))}
    limits = allowance(make_budgets(database, clock=clock), database, clock=clock, tokens=tokens)
    return rig(database, *known.values(), gateway=gateway, limits=limits, clock=clock), tokens


def ask(running, token, **fields):
    script = {"conversation_id": new_id(), "temporary": (), "source": "api", "token_id": token.id}
    return running.ask("Hello?", token_budget=TokenBudget(token.id, token.budget_usd), **script, **fields)


def test_of_many_at_once_only_those_pass_that_the_budget_pays(database, clock, token):
    gate, gateway = Gate(), ScriptedGateway()
    made, tokens = limited(database, clock, gateway=gateway)
    for _ in range(8):
        gateway.enqueue("gpt", gate, *of_cost(str(ABOUT_USD)))

    with made as running:

        def one(_number):
            try:
                return ask(running, token)
            except LimitReached as refused:
                return refused

        with ThreadPoolExecutor(8) as pool:
            asked = list(pool.map(one, range(8)))
        refusals = [one for one in asked if isinstance(one, LimitReached)]
        assert len(refusals) == 7
        assert {str(one.code) for one in refusals} == {"budget"}
        # Another token of the same person has money of its own, and the person's chats need none of it.
        other = ask(running, replace(token, id="other"))
        chat = running.ask("Hello?")
        gate.open()
        for live in (*(one for one in asked if one not in refusals), other, chat):
            finish(live)
        with pytest.raises(LimitReached, match=r"and \$0.0003 is left of the token's \$0.007 a month \(UTC\)"):
            ask(running, token)

    assert tokens.counters.spending.own_holds() == {}


def test_an_answer_that_is_longer_than_thought_ends_where_the_tokens_budget_does(database, clock, token):
    gateway = ScriptedGateway()
    made, _ = limited(database, clock, gateway=gateway)
    gateway.enqueue("gpt", *[PIECE] * 1500, Finished("stop"), Usage(input_tokens=10, output_tokens=3000))

    with made as running:
        said = finish(ask(running, token))

    assert said.error_message.startswith("The answer was stopped: nothing is left of the token's $0.007 a month (UTC).")
    [row] = database.fetch_all("select status, cost_usd from attempts")
    assert row["status"] == "budget"
    assert Decimal("0.0060") < row["cost_usd"] <= Decimal("0.0071")


def test_what_was_spent_is_known_after_a_start_and_until_the_month_is_over(database, clock, token):
    made, _ = limited(database, clock, model(), model("free", prices=FREE), model("unknown", prices=None))
    with made as running:
        for usd in ("0.0090", "0.0001"):
            running.gateway.enqueue("gpt", *of_cost(usd))
        running.gateway.enqueue("free", *answer("Hello"))
        finish(ask(running, token))
        # As a process does that starts, or that finds the ledger changed.
        running.engine.limits._tokens = anew = TokenBudgets(database, clock=clock)
        anew.recount_if_changed()
        for asked in ("gpt", "unknown"):
            with pytest.raises(LimitReached, match=r"^This token has spent \$0.009 of its \$0.007 this month \(UTC\)"):
                ask(running, token, model_id=asked)
        finish(ask(running, token, model_id="free"))
        clock.advance(days=31)
        finish(ask(running, token))

    assert len(database.fetch_all("select id from attempts")) == 3
