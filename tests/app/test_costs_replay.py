"""The Replay tab under AppTest: figures that follow the ledger, in words where there are none."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.clock import utc_now
from core.costs.pricing import Cost
from core.providers.events import Usage
from tests.support.attempts import add_attempt
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="page")
def _page(services, app):
    """The tab, drawn for an administrator."""

    def page():
        person = add_person(services.database, username="root", role="admin")
        app.session_state["costs_tab"] = "Replay"
        app.switch_page("pages/costs_page.py")
        return sign_in_app(app, person).run()

    return page


def spend(services, *, model, usd="1", count=20, lasted_s=2.0):
    for _ in range(count):
        amount = Decimal(usd)
        add_attempt(
            services.database,
            ended_at=utc_now() - timedelta(hours=2),
            model=model,
            lasted_s=lasted_s,
            usage=Usage(input_tokens=1000, output_tokens=100),
            cost=Cost(cost_usd=amount, code="computed", computed_cost_usd=amount, reported_cost_usd=None),
        )


def spend_unpriced(services, *, model, count):
    for _ in range(count):
        add_attempt(
            services.database,
            ended_at=utc_now() - timedelta(hours=2),
            model=model,
            usage=Usage(input_tokens=1000, output_tokens=100),
            cost=Cost(cost_usd=None, code="unpriced", computed_cost_usd=None, reported_cost_usd=None),
        )


def test_an_empty_ledger_says_what_to_do(page):
    shown = page()

    assert not shown.exception
    assert any("No answered calls in this time" in box.value for box in shown.info)


def test_the_calls_are_priced_on_other_models_and_the_beaten_one_is_named(services, page):
    spend(services, model="dear", usd="0.2", lasted_s=3)
    spend(services, model="quick", usd="0.1", lasted_s=1)

    shown = page()
    assert not shown.exception
    replayed, standings = (table.value for table in shown.dataframe)
    assert set(replayed["Calls"]) == {40}
    assert replayed["Was"].iloc[0] == pytest.approx(6.0)
    assert (replayed["Would be"] < 6.0).all()
    assert dict(zip(standings["Model"], standings["Beaten by"], strict=True)) == {"quick": "", "dear": "quick"}


def test_calls_without_a_price_make_what_it_was_a_least(services, page):
    spend(services, model="quick", usd="0.1")
    spend_unpriced(services, model="quick", count=3)

    assert any(line.value.startswith("3 calls of these have no known cost") for line in page().caption)


def test_where_every_call_has_a_price_nothing_is_said_of_it(services, page):
    spend(services, model="quick", usd="0.1")

    assert not any("no known cost" in line.value for line in page().caption)
