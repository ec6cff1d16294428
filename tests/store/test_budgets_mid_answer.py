"""Answers that turn out longer than their estimates: they end where the budget does, however many there are at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal

import pytest

from core.costs.reports.reliability import load_reliability
from core.costs.usage_filter import UsageFilter
from core.errors import LimitReached
from core.providers.events import Finished, TextDelta, Usage
from core.providers.scripted import Gate, ScriptedGateway
from tests.store.test_budgets_at_work import ABOUT_USD, FREE, limited, of_cost, spent_in
from tests.store.test_cost_reports import Viewer
from tests.support.budgets import budget
from tests.support.turns import finish, model

# Two tokens of output each, at $15 per million; an answer of 3,000 tokens costs $0.045 beside its input.
PIECE = TextDelta(" green apples")
PIECE_USD = Decimal("0.00003")
LONG = [PIECE] * 1500


def ask_all(running, count, gate, **fields):
    def ask(_number):
        try:
            return running.ask("Hello?", **fields)
        except LimitReached as refused:
            return refused

    with ThreadPoolExecutor(count) as pool:
        asked = list(pool.map(ask, range(count)))
    gate.open()
    turns = [one for one in asked if not isinstance(one, LimitReached)]
    return [finish(turn) for turn in turns]


def test_twenty_answers_that_are_all_longer_than_thought_end_where_the_budget_does(database):
    gate, gateway = Gate(), ScriptedGateway()
    # Room for the estimates of twenty, each of which takes nearly seven times as much.
    made, budgets = limited(database, budget("0.1400"), gateway=gateway)
    for _ in range(20):
        gateway.enqueue("gpt", gate, *LONG, Finished("stop"), Usage(input_tokens=10, output_tokens=3000))

    with made as running:
        said = ask_all(running, 20, gate)

    usd, calls = spent_in(database)
    assert (len(said), calls) == (20, 20)
    # One piece of each is what nobody could have known before it came.
    assert Decimal("0.1300") < usd <= Decimal("0.1400") + 20 * PIECE_USD
    assert {answer.status for answer in said} == {"stopped"}
    # Nobody was cut off within what was promised: all went on at least to their own estimate.
    assert min(len(answer.content) for answer in said) >= 440 / 2 * len(PIECE.text)
    [standing] = budgets.standings("ann")
    assert (standing.balance.spent.usd, standing.balance.held_usd) == (usd, 0)


def test_a_stopped_answer_says_why_is_kept_and_is_priced_as_a_partial_one(database):
    gateway = ScriptedGateway()
    made, _ = limited(database, budget("0.0100"), gateway=gateway)
    gateway.enqueue("gpt", *LONG)

    with made as running:
        live = running.ask("Hello?")
        said = finish(live)
        [_, stored] = running.messages(live.ids.conversation)

    assert stored.content == said.content
    assert len(said.content) < len(LONG) * len(PIECE.text)
    assert stored.error_message == said.error_message
    assert said.error_message.startswith(
        "The answer was stopped: nothing is left of the budget of $0.01 a month for each person. It renews on "
    )
    assert said.error_message.endswith("Go on with a free model, or ask an administrator to raise the budget.")
    [row] = database.fetch_all("select status, cost_code, cost_usd from attempts")
    assert (row["status"], row["cost_code"]) == ("budget", "partial")
    assert Decimal("0.0095") < row["cost_usd"] <= Decimal("0.0100") + PIECE_USD
    assert gateway.wait_until_abandoned()


def test_what_a_quick_figure_held_for_the_input_is_spent_on_the_output_before_it_is_stopped(database):
    gateway = ScriptedGateway()
    made, _ = limited(database, budget("0.0400"), gateway=gateway)
    gateway.enqueue("gpt", *LONG)

    with made as running:
        # 5,000 tokens, for which 8,000 are held without counting: $0.009 of the $0.04.
        finish(running.ask("pineapple " * 2400))

    usd, _ = spent_in(database)
    assert Decimal("0.0399") < usd <= Decimal("0.0400") + PIECE_USD


def test_a_long_answer_goes_on_while_there_is_money_and_takes_it_from_later_calls(database):
    gate, gateway = Gate(), ScriptedGateway()
    made, budgets = limited(database, budget("0.0500"), gateway=gateway)
    gateway.enqueue("gpt", *LONG, gate, Finished("stop"))

    with made as running:
        live = running.ask("Hello?")
        assert gate.wait_until_reached()
        left_usd = budgets.left_usd("ann")
        with pytest.raises(LimitReached):
            running.ask("Hello?")
        gate.open()
        said = finish(live)

    assert said.status == "complete"
    # 3,000 tokens and at most one stretch ahead.
    assert Decimal("0.0030") < left_usd < Decimal("0.0055")


@pytest.mark.parametrize("limits", [(), (budget("0.0001", hard=False),)], ids=["none", "soft"])
def test_nothing_is_stopped_where_no_hard_budget_pays(database, limits):
    made, _ = limited(database, *limits)

    with made as running:
        running.gateway.enqueue("gpt", *LONG, Finished("stop"))
        said = finish(running.ask("Hello?"))

    assert said.status == "complete"


def test_free_answers_are_never_stopped(database):
    made, _ = limited(database, budget("0.0010"), models=(model(prices=FREE),))

    with made as running:
        running.gateway.enqueue("gpt", *LONG, Finished("stop"))
        said = finish(running.ask("Hello?"))

    assert said.status == "complete"


def test_a_budget_that_ends_an_answer_is_no_failure_of_its_model_and_no_fallback_is_asked(database):
    gateway = ScriptedGateway()
    models = (model(fallbacks=("other",)), model("other"))
    made, _ = limited(database, budget("0.0100"), models=models, gateway=gateway)
    gateway.enqueue("gpt", *LONG)

    with made as running:
        said = finish(running.ask("Hello?"))

    assert said.error_class == "budget"
    assert [request.model.id for request in gateway.history] == ["gpt"]
    ever = UsageFilter(since=datetime(2000, 1, 1), until=datetime(2100, 1, 1))  # noqa: DTZ001 - naive UTC
    with database.cursor() as cur:
        outcomes = load_reliability(cur, ever, viewer=Viewer())
    assert (outcomes.failures, [*outcomes.stops]) == ({}, ["gpt"])


def test_what_several_calls_spend_is_within_the_budget_when_they_are_as_long_as_thought(database):
    gate, gateway = Gate(), ScriptedGateway()
    made, _ = limited(database, budget("0.0350"), gateway=gateway)
    for _ in range(20):
        gateway.enqueue("gpt", gate, *of_cost(str(ABOUT_USD)))

    with made as running:
        said = ask_all(running, 20, gate)

    assert [one.status for one in said] == ["complete"] * 5
