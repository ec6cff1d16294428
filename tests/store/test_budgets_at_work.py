"""Budgets and rate limits on a real engine: what passes, what is refused, what is held and let go."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from core.catalog.models import CacheRule, Prices
from core.clock import utc_now
from core.costs.estimate import UNPRICED, CostRange
from core.costs.pricing import Cost
from core.errors import ErrorClass, LimitReached, ProviderError, StoreError
from core.providers.events import Usage
from core.providers.scripted import Gate, ScriptedGateway, answer
from tests.support.attempts import add_attempt, ledger_table
from tests.support.budgets import allowance, budget, make_budgets, rate
from tests.support.moving_clock import MovingClock
from tests.support.turns import TIMEOUT_S, finish, model, rig

FREE = Prices(input=Decimal(0), output=Decimal(0))
CHEAP = Prices(input=Decimal("0.03"), output=Decimal("0.15"))
# What an answer of 441 tokens costs at $15 per million: the high end of the estimate, but for a few tokens of input.
ABOUT_USD = Decimal("0.0067")


def of_cost(usd: str):
    """An answer that the provider bills with so much."""
    return answer("Hello", usage=Usage(input_tokens=10, output_tokens=20, reported_cost_usd=Decimal(usd)))


def limited(database, *limits, models=(), gateway=None, clock=None, people=None, **options):
    """A rig whose engine asks budgets; `made.budgets` are these."""
    given = {} if clock is None else {"clock": clock}
    known = {spec.id: spec for spec in (models or (model(),))}
    budgets = make_budgets(database, *limits, people=people, **given)
    limits_of_engine = allowance(budgets, database, candidates=lambda _user_id: known, **given)
    made = rig(database, *known.values(), gateway=gateway, limits=limits_of_engine, **given, **options)
    return made, budgets


def spent_in(database):
    row = database.fetch_one("select coalesce(sum(cost_usd), 0)::decimal(18,9) as usd, count(*) as calls from attempts")
    return row["usd"], row["calls"]


@pytest.mark.parametrize("error_usd", [Decimal(0), Decimal("0.05")])
def test_twenty_at_once_overspend_by_no_more_than_one_calls_error(database, error_usd):
    gate, gateway = Gate(), ScriptedGateway()
    # Room for one call: nineteen of twenty must not count on the same money.
    made, budgets = limited(database, budget("0.0070"), gateway=gateway)
    for _ in range(20):
        gateway.enqueue("gpt", gate, *of_cost(str(ABOUT_USD + error_usd)))
    barrier = threading.Barrier(20)

    with made as running:

        def ask(_number):
            barrier.wait(TIMEOUT_S)
            try:
                return running.ask("Hello?")
            except LimitReached as refused:
                return refused

        with ThreadPoolExecutor(20) as pool:
            asked = list(pool.map(ask, range(20)))
        gate.open()
        turns = [one for one in asked if not isinstance(one, LimitReached)]
        for turn in turns:
            finish(turn)

    usd, calls = spent_in(database)
    assert (len(turns), calls) == (1, 1)
    assert usd <= Decimal("0.0070") + error_usd
    [standing] = budgets.standings("ann")
    assert (standing.balance.spent.usd, standing.balance.held_usd) == (usd, 0)


def test_as_many_pass_at_once_as_their_estimates_fit(database):
    gate, gateway = Gate(), ScriptedGateway()
    made, _ = limited(database, budget("0.0350"), gateway=gateway)
    for _ in range(20):
        gateway.enqueue("gpt", gate, *of_cost(str(ABOUT_USD)))

    with made as running:
        asked = []
        for _ in range(20):
            try:
                asked.append(running.ask("Hello?"))
            except LimitReached:
                continue
        gate.open()
        for turn in asked:
            finish(turn)

    usd, calls = spent_in(database)
    assert calls == len(asked) == 5
    assert usd <= Decimal("0.0350")


def test_a_refusal_says_what_is_left_when_it_renews_and_who_would_still_answer(database):
    clock = MovingClock()
    models = (
        model(label="Big"),
        model("small", label="Small", prices=CHEAP),
        model("tiny", label="Tiny", prices=FREE),
        model("huge", label="Huge", prices=None),
    )
    made, budgets = limited(database, budget("0.0080"), models=models, clock=clock)

    with made as running:
        running.gateway.enqueue("gpt", *of_cost("0.0060"))
        live = running.ask("Hello?")
        finish(live)
        with pytest.raises(LimitReached) as caught:
            running.ask("And again?", conversation_id=live.ids.conversation)

    refused = caught.value
    assert (refused.code, refused.instead, refused.limit_id) == ("budget", "small", budgets.budgets[0].id)
    assert str(refused) == (
        "This message would cost about $0.0067, and $0.002 is left of the budget of $0.008 a month for each person. "
        "It renews on Tue 1 Dec, 00:00 (UTC). Use Small, which still fits, or ask an administrator to raise the "
        "budget. Your message is kept in the box."
    )
    assert len(running.messages(live.ids.conversation)) == 2
    [kept] = database.fetch_all("select user_id, model_id, code, source, reason from refusals")
    assert (kept["user_id"], kept["model_id"], kept["code"], kept["source"]) == ("ann", "gpt", "budget", "chat")


def test_a_spent_budget_says_so_and_the_next_period_begins_anew(database):
    clock = MovingClock()
    made, _ = limited(database, budget("0.0070", period="day"), clock=clock)

    with made as running:
        for _ in range(2):
            running.gateway.enqueue("gpt", *of_cost("0.0090"))
        finish(running.ask("Hello?"))
        with pytest.raises(LimitReached, match=r"^The budget of \$0.007 a day for each person is spent. It renews"):
            running.ask("Hello?")
        clock.advance(days=1)
        finish(running.ask("Hello?"))

    assert spent_in(database) == (Decimal("0.0180"), 2)


def test_free_models_and_kept_answers_always_pass(database):
    kept = model("kept", label="Kept", cache=CacheRule(minutes=5))
    made, budgets = limited(database, budget("0.0070"), models=(model(), model("tiny", prices=FREE), kept))

    with made as running:
        running.gateway.enqueue("kept", *of_cost("0.0050"))
        finish(running.ask("Hello?", model_id="kept"))
        [standing] = budgets.standings("ann")
        budgets.save(replace(standing.budget, amount_usd=Decimal(0)), actor_id=None)
        running.gateway.enqueue("tiny", *answer("Hello"))

        assert finish(running.ask("Hello?", model_id="tiny")).status == "complete"
        again = finish(running.ask("Hello?", model_id="kept"))
        with pytest.raises(LimitReached):
            running.ask("Something else?", model_id="kept")

    assert again.status == "complete"
    assert spent_in(database) == (Decimal("0.0050"), 3)


def test_unpriced_models_pass_a_hard_budget_only_where_it_allows_them(database):
    unknown = model("unknown", label="Unknown", prices=None)
    made, budgets = limited(database, budget("0.0070"), models=(model(), unknown))

    with made as running:
        running.gateway.enqueue("unknown", *answer("Hello"))
        finish(running.ask("Hello?", model_id="unknown"))
        [standing] = budgets.standings("ann")
        assert (standing.balance.spent.usd, standing.balance.spent.unpriced) == (0, 1)
        budgets.save(replace(standing.budget, allow_unpriced=False), actor_id=None)
        with pytest.raises(LimitReached, match="Nobody knows what Unknown costs"):
            running.ask("Hello?", model_id="unknown")


def test_a_soft_budget_warns_and_never_refuses(database):
    made, budgets = limited(database, budget("0.0070", hard=False, warn_percent=50))

    with made as running:
        levels = []
        for usd in ("0.0030", "0.0010", "0.0050"):
            running.gateway.enqueue("gpt", *of_cost(usd))
            finish(running.ask("Hello?"))
            levels.append(budgets.standings("ann")[0].level)

    assert levels == ["fine", "warned", "warned"]


def test_a_dearer_fallback_that_does_not_fit_is_not_asked(database):
    chosen = model(fallbacks=("dear", "cheap"))
    dear = model("dear", prices=Prices(input=Decimal(30), output=Decimal(150)))
    made, budgets = limited(database, budget("0.0200"), models=(chosen, dear, model("cheap", prices=CHEAP)))

    with made as running:
        running.gateway.enqueue("gpt", ProviderError(ErrorClass.NOT_FOUND, "Gone."))
        gate = Gate()
        running.gateway.enqueue("cheap", gate, *of_cost("0.0001"))
        live = running.ask("Hello?")
        assert gate.wait_until_reached(TIMEOUT_S)
        held = budgets.standings("ann")[0].balance.held_usd
        gate.open()
        result = finish(live)

    assert result.served_model == "cheap"
    # What it holds is the cheap one's estimate and not the chosen one's any more.
    assert 0 < held < Decimal("0.0001")
    assert budgets.standings("ann")[0].balance.spent.usd == Decimal("0.0001")


def test_every_budget_that_binds_is_asked_and_the_tightest_is_named(database):
    made, budgets = limited(
        database,
        budget("5"),
        budget("0.0100", audience="group", subject="research", shared=True),
        budget("1", audience="role", subject="member"),
        budget("9", audience="user", subject="bob", period="week"),
    )

    with made as running:
        running.gateway.enqueue("gpt", *of_cost("0.0080"))
        finish(running.ask("Hello?", user_id="bob"))
        with pytest.raises(LimitReached, match=r"shared by Research"):
            running.ask("Hello?")
        running.gateway.enqueue("gpt", *of_cost("0.0080"))
        finish(running.ask("Hello?", user_id="eve"))

    assert {str(one.budget.amount_usd.normalize()) for one in budgets.standings("ann")} == {"5", "0.01", "1"}
    assert {str(one.budget.amount_usd.normalize()) for one in budgets.standings("bob")} == {"5", "0.01", "1", "9"}


def test_a_budget_of_ones_own_takes_the_place_of_the_default(database):
    budgets = make_budgets(
        database,
        budget("5"),
        budget("50", audience="user", subject="ann"),
        budget("3", hard=False),
        budget("2", period="day"),
    )

    amounts = {standing.budget.amount_usd for standing in budgets.standings("ann")}

    # The default of another period or of another kind still holds.
    assert amounts == {50, 3, 2}


def test_nothing_is_held_for_a_turn_that_could_not_be_stored(database):
    made, budgets = limited(database, budget("0.0070"))

    with made as running:
        database.execute("drop index turns_by_conversation")
        database.execute("alter table turns drop column use_case")
        with pytest.raises(StoreError):
            running.ask("Hello?")
        held = budgets.standings("ann")[0].balance.held_usd

    assert held == 0


def test_a_stopped_answer_lets_go_of_what_it_held(database):
    made, budgets = limited(database, budget("0.0070"))

    with made as running:
        gate = Gate()
        running.gateway.enqueue("gpt", gate, *of_cost("0.0050"))
        live = running.ask("Hello?")
        assert gate.wait_until_reached(TIMEOUT_S)
        running.engine.stop(live)
        finish(live)
        balance = budgets.standings("ann")[0].balance

    usd, _ = spent_in(database)
    assert (balance.held_usd, balance.spent.usd) == (0, usd)


def test_an_answer_whose_rows_cannot_be_written_keeps_what_it_held(database):
    made, budgets = limited(database, budget("0.0070"))

    with made as running:
        gate = Gate()
        running.gateway.enqueue("gpt", gate, *of_cost("0.0050"))
        live = running.ask("Hello?")
        assert gate.wait_until_reached(TIMEOUT_S)
        database.execute(f"alter table {ledger_table(database)} rename to hidden")
        gate.open()
        finish(live)
        assert budgets.standings("ann")[0].balance.held_usd > Decimal("0.0060")
        with pytest.raises(LimitReached):
            running.ask("Something else?")
        database.execute(f"alter table hidden rename to {ledger_table(database)}")
    # Closing the engine wrote them after all.
    balance = budgets.standings("ann")[0].balance
    assert (balance.held_usd, balance.spent.usd) == (0, Decimal("0.0050"))


def test_requests_per_minute_are_refused_with_when_to_try_again(database):
    clock = MovingClock()
    made, _ = limited(database, rate(requests_per_minute=2), clock=clock)

    with made as running:
        for _ in range(4):
            running.gateway.enqueue("gpt", *answer("Hello"))
        finish(running.ask("Hello?"))
        clock.advance(seconds=20)
        finish(running.ask("Hello?"))
        with pytest.raises(LimitReached) as caught:
            running.ask("Hello?")
        finish(running.ask("Hello?", user_id="bob"))
        clock.advance(seconds=40)
        finish(running.ask("Hello?"))

    refused = caught.value
    assert (refused.code, refused.retry_after_s) == ("rate_limit", 40)
    assert str(refused) == (
        "The limit of 2 requests a minute for each person is reached (2 requests in the last minute). "
        "Try again in 40 seconds. Your message is kept in the box."
    )


def test_tokens_of_a_model_per_minute_are_shared_by_everybody(database):
    clock = MovingClock()
    made, _ = limited(
        database,
        rate(shared=True, model_id="gpt", tokens_per_minute=1000),
        models=(model(), model("other")),
        clock=clock,
    )

    with made as running:
        running.gateway.enqueue("gpt", *answer("Hello", usage=Usage(input_tokens=100, output_tokens=800)))
        finish(running.ask("Hello?"))
        with pytest.raises(LimitReached, match=r"1,000 tokens a minute of GPT for everybody together"):
            running.ask("Hello?", user_id="bob")
        running.gateway.enqueue("other", *answer("Hello"))
        finish(running.ask("Hello?", model_id="other"))


def test_the_sums_are_the_ledgers_after_a_restart_and_after_a_correction(database):
    made, budgets = limited(database, budget("5"))
    with made as running:
        running.gateway.enqueue("gpt", *of_cost("0.0050"))
        finish(running.ask("Hello?"))

    row = database.fetch_one("select id, started_at from attempts")
    database.execute(
        "insert into adjustments (id, attempt_id, attempt_started_at, created_at, delta_usd, reason) "
        "values ('a', $id, $at, $at, 0.25, 'a late price')",
        id=row["id"],
        at=row["started_at"],
    )
    budgets.recount_if_changed()

    assert budgets.standings("ann")[0].balance.spent.usd == Decimal("0.2550")
    assert make_budgets(database).standings("ann")[0].balance.spent.usd == Decimal("0.2550")


def test_what_is_spent_may_be_more_than_one_amount_can_be(database):
    # A column of another currency, taken for dollars: it must not keep the next start from counting.
    most = Decimal("999999999.999999999")
    cost = Cost(cost_usd=most, code="reported", computed_cost_usd=None, reported_cost_usd=most)
    for _ in range(2):
        add_attempt(database, ended_at=utc_now(), lasted_s=0, cost=cost)

    assert make_budgets(database, budget("50")).standings("ann")[0].balance.spent.usd == 2 * most


def test_a_fault_of_the_store_neither_opens_nor_closes_a_budget(database):
    made, budgets = limited(database, budget("0.0070"))
    with made as running:
        running.gateway.enqueue("gpt", *of_cost("0.0065"))
        finish(running.ask("Hello?"))
        database.execute("drop view ledger")
        budgets.recount_if_changed()

        with pytest.raises(LimitReached):
            running.ask("Hello?")


def test_a_line_up_is_refused_as_a_whole(database):
    budgets = make_budgets(database, budget("0.0200"))
    one = CostRange(low_usd=Decimal("0.0040"), high_usd=Decimal("0.0070"))
    free = CostRange(low_usd=Decimal(0), high_usd=Decimal(0), free=True)

    budgets.check_together("ann", [one, one, free, UNPRICED])
    with pytest.raises(LimitReached) as caught:
        budgets.check_together("ann", [one, one, one])

    assert caught.value.user_message.startswith(
        "These answers would cost together about $0.021, and $0.02 is left of the budget of $0.02 a month"
    )
