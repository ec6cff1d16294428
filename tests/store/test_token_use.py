from __future__ import annotations

from decimal import Decimal

import pytest

from core.costs.token_use import TokenUse
from core.errors import LimitReached
from core.providers.events import Usage
from core.providers.scripted import answer
from tests.support.moving_clock import MovingClock
from tests.support.turns import finish, rig


def test_requests_come_back_after_a_minute(database) -> None:
    clock = MovingClock()
    use = TokenUse(database, clock=clock)
    assert use.admit("t", rpm_limit=2, budget_usd=None) == 1
    clock.advance(seconds=20)
    assert use.admit("t", rpm_limit=2, budget_usd=None) == 0
    with pytest.raises(LimitReached) as refused:
        use.admit("t", rpm_limit=2, budget_usd=None)
    assert (refused.value.code, refused.value.retry_after_s) == ("rate_limit", 40)
    assert use.admit("other", rpm_limit=2, budget_usd=None) == 1
    clock.advance(seconds=40)
    assert use.admit("t", rpm_limit=2, budget_usd=None) == 0


def test_a_month_of_calls_spends_the_budget_and_nothing_else_does(database) -> None:
    use = TokenUse(database)
    with rig(database) as asked:
        for _ in range(4):
            asked.gateway.enqueue("gpt", *answer("Hello", usage=Usage(input_tokens=10, output_tokens=20)))
        finish(asked.ask("Mine.", conversation_id="a", temporary=(), token_id="t", source="api"))
        finish(asked.ask("Not mine.", conversation_id="b", temporary=(), token_id="u", source="api"))
        finish(asked.ask("On the page."))
        [row] = [row for row in asked.rows("attempts") if row["conversation_id"] == "a"]
        spent = row["cost_usd"]
        assert spent > 0
        use.admit("t", rpm_limit=None, budget_usd=spent + Decimal("0.000000001"))
        with pytest.raises(LimitReached) as refused:
            use.admit("t", rpm_limit=None, budget_usd=spent)
        assert refused.value.code == "budget"
        finish(asked.ask("Again.", conversation_id="c", temporary=(), token_id="t", source="api"))
        use.ended("t")
        with pytest.raises(LimitReached):
            use.admit("t", rpm_limit=None, budget_usd=spent + Decimal("0.000000001"))
        assert {row["token_id"] for row in asked.rows("turns")} == {"t", "u", None}
