"""The cost pages under AppTest: who sees what, what a filter leaves, and what an address says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from core.clock import utc_now
from core.costs.pricing import Cost
from tests.support.attempts import add_attempt
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="ada")
def _ada(services):
    return add_person(services.database, "ada", role="admin")


@pytest.fixture(name="bob")
def _bob(services):
    return add_person(services.database, "bob")


@pytest.fixture(name="open_costs")
def _open_costs(services):
    def open_costs(user, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        sign_in_app(app, user).run()
        app.switch_page("pages/costs_page.py")
        for name, value in parameters.items():
            app.query_params[name] = value
        return app.run()

    return open_costs


def _spend(services, user, usd: str, *, days_ago: int = 0, now=None, **fields) -> None:
    cost = Cost(cost_usd=Decimal(usd), code="computed", computed_cost_usd=Decimal(usd), reported_cost_usd=None)
    ended_at = (now or utc_now()) - timedelta(days=days_ago)
    add_attempt(services.database, ended_at=ended_at, user_id=user.id, cost=cost, **fields)


def _text(app: AppTest) -> str:
    shown = [*app.subheader, *app.caption, *app.info, *app.warning]
    return "\n".join(element.value.replace("\\", "") for element in shown)


def test_a_member_sees_their_own_spend_whatever_the_address_asks_for(services, ada, bob, open_costs):
    _spend(services, ada, "5")
    _spend(services, bob, "2")

    page = open_costs(bob, person=ada.id)

    assert not page.exception
    assert "$2.00 in 1 call" in _text(page)
    assert "Person" not in [widget.label for widget in page.multiselect]


def test_an_administrator_sees_the_team_and_can_switch_to_their_own(services, ada, bob, open_costs):
    _spend(services, ada, "5")
    _spend(services, bob, "2")
    page = open_costs(ada)

    assert "$7.00 in 2 calls" in _text(page)
    next(item for item in page.segmented_control if item.label == "Whose").set_value("Mine").run()

    assert "$5.00 in 1 call" in _text(page)
    assert ada.id in page.query_params["person"]


def test_an_address_opens_the_same_view(services, ada, open_costs):
    _spend(services, ada, "5", days_ago=40)
    _spend(services, ada, "1", model="other")

    page = open_costs(ada, period="90d", model="gpt")

    assert "$5.00 in 1 call" in _text(page)
    assert page.selectbox(key="costs_period").value == "90d"


def test_an_address_that_cannot_be_meant_is_said_and_shows_everything(services, ada, open_costs):
    _spend(services, ada, "5")

    page = open_costs(ada, period="yesteryear")

    assert "'yesteryear'" in _text(page)
    assert "$5.00 in 1 call" in _text(page)


def test_the_explorer_groups_by_any_two_and_says_what_its_chart_shows(services, ada, bob, open_costs):
    _spend(services, ada, "5")
    _spend(services, bob, "2", model="other")

    page = open_costs(ada, tab="Explorer", by="person", then="model")

    assert not page.exception
    assert "$7.00 in 2 calls" in _text(page)
    table = page.dataframe[0].value
    assert list(table["Person"]) == ["Ada", "Bob"]
    assert list(table["Spend"]) == [5.0, 2.0]


@pytest.mark.parametrize(("period", "grain"), [("today", "Hour"), ("30d", "Day"), ("all", "Week")])
def test_the_explorer_begins_with_columns_that_suit_the_time(services, ada, open_costs, period, grain):
    _spend(services, ada, "5")

    page = open_costs(ada, tab="Explorer", period=period)

    assert page.selectbox(key="costs_first").value == grain.lower()
    assert grain in page.dataframe[0].value.columns
    assert "by" not in page.query_params


def test_a_member_can_group_by_anything_but_people(services, ada, bob, open_costs):
    _spend(services, ada, "5")
    _spend(services, bob, "2")

    page = open_costs(bob, tab="Explorer", by="person")

    assert not page.exception
    assert "Person" not in page.selectbox(key="costs_first").options
    assert "$2.00 in 1 call" in _text(page)


def test_distributions_show_percentiles_of_enough_calls(services, ada, open_costs):
    for number in range(1, 22):
        _spend(services, ada, f"0.{number:02}")

    page = open_costs(ada, tab="Explorer", show="distributions", by="day")

    assert not page.exception
    # Days have no percentiles: what stands in the control is what the table is by.
    assert page.selectbox(key="costs_percentiles_per").value == "model"
    assert "Day" not in page.selectbox(key="costs_percentiles_per").options
    assert "Model" in page.dataframe[0].value.columns
    figures = {metric.label: metric.value.replace("\\", "") for metric in page.metric}
    assert figures["p50"] == "$0.11"
    assert figures["Most"] == "$0.21"


def test_reliability_adds_up_failures_and_what_the_fallback_took(services, ada, open_costs):
    now = utc_now()
    _spend(services, ada, "0.25", now=now, id="try-1", status="rate_limit", lasted_s=10)
    _spend(services, ada, "1", now=now, parent_id="try-1", fallback_of="gpt", model="other", lasted_s=4)
    _spend(services, ada, "0.5", status="stopped")

    page = open_costs(ada, tab="Reliability")

    assert not page.exception
    figures = {metric.label: metric.value.replace("\\", "") for metric in page.metric}
    assert figures["Failed"] == "1"
    assert figures["Fallback tax, money"] == "$0.25"
    assert figures["Fallback tax, time"] == "6.0 s"
    assert figures["Stopped"] == "1"


def test_nothing_to_show_says_what_to_do(ada, open_costs):
    page = open_costs(ada)

    assert not page.exception
    assert "No call in this time. Choose a longer period, or ask something" in _text(page)
