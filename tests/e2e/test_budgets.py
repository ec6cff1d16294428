"""A budget in the life of a member and an administrator, in Chromium: warned, refused with the draft kept, raised."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from core.accounts.audit import record
from core.clock import utc_now
from core.costs.limit_rows import Author, save_budget
from core.costs.pricing import Cost
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.attempts import add_attempt
from tests.support.browsing import field, open_signed_in
from tests.support.budgets import budget
from tests.support.chatting import ask, choose_model, composer, messages, wait_until_answered
from tests.support.live_server import LiveServer
from tests.support.people import PASSWORD, add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

# A call of Dear costs about $0.44 (441 tokens at $1000 per million); of Cheap next to nothing.
SPENT_USD, BUDGET_USD = Decimal("0.90"), "1"


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory) -> LiveServer:
    home = tmp_path_factory.mktemp("budgets")
    with ProviderServer() as provider:
        provider.behave("lab", say("Here is the answer."))
        registry = home / "models.yaml"
        registry.write_text(
            f"providers:\n  loop: {{kind: openai, api_base: '{provider.api_base}', api_key: none}}\n"
            "models:\n"
            "  - {id: dear, call: loop/lab, label: Dear, price: {input: 100, output: 1000}}\n"
            "  - {id: cheap, call: loop/lab, label: Cheap, price: {input: 0.01, output: 0.02}}\n",
            encoding="utf-8",
        )
        _fill(home / "data")
        yield start(directory=home, SWITCHBOARD_MODELS=str(registry))


def test_a_budget_warns_refuses_keeps_the_draft_and_opens_when_it_is_raised(server, open_profile) -> None:
    bob = _signed_in(open_profile(), server, "bob")
    line = bob.get_by_test_id("stSidebar").get_by_text("$0.90 of $1 this month")
    expect(line).to_be_visible()
    expect(bob.get_by_role("progressbar", name="Budget used")).to_have_attribute("aria-valuenow", "90")

    choose_model(bob, "Dear")
    expect(bob.get_by_text("$0.10 left this month")).to_be_visible()
    ask(bob, "What does the lighthouse say?")
    refusal = bob.get_by_text(re.compile(r"\$0\.10 is left of the budget of \$1\.00 a month for each person"))
    expect(refusal).to_be_visible()
    expect(refusal).to_contain_text("Use Cheap, which still fits")
    expect(composer(bob)).to_have_value("What does the lighthouse say?")
    expect(messages(bob)).to_have_count(0)

    bob.get_by_role("button", name="Switch to Cheap").click()
    expect(refusal).to_have_count(0)
    expect(composer(bob)).to_have_value("What does the lighthouse say?")
    composer(bob).press("Enter")
    wait_until_answered(bob, 2)

    choose_model(bob, "Dear")
    ask(bob, "And what does the harbour say?")
    expect(refusal).to_be_visible()
    expect(composer(bob)).to_have_value("And what does the harbour say?")
    # The very same text once more: it is refused again and comes back again, as another value with a space at its end.
    composer(bob).press("Enter")
    expect(composer(bob)).to_have_value("And what does the harbour say? ")

    ada = _signed_in(open_profile(), server, "ada")
    ada.goto(f"{server.url}/admin")
    ada.get_by_role("tab", name="Budgets").click()
    expect(ada.get_by_role("heading", name="Refused lately")).to_be_visible()
    _raise_budget(ada, "5")

    composer(bob).press("Enter")
    wait_until_answered(bob, 4)
    expect(messages(bob).last).to_contain_text("Here is the answer.")
    expect(bob.get_by_test_id("stSidebar").get_by_text(re.compile(r"of \$5 this month"))).to_be_visible()


def _raise_budget(page: Page, amount: str) -> None:
    chooser = page.get_by_role("combobox", name="Change a budget")
    chooser.click()
    page.get_by_role("option").filter(has_text="$1.00 a month for each person").click()
    amount_field = field(page, "Dollars")
    expect(amount_field).to_have_value("1")
    amount_field.fill(amount)
    amount_field.press("Tab")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved: $5.00 a month for each person, refuses.")).to_be_visible()


def _fill(data_dir) -> None:
    data_dir.mkdir()
    database = Database(f"duckdb:{data_dir / 'switchboard.duckdb'}")
    migrate(database)
    add_person(database, "ada", role="admin")
    bob = add_person(database, "bob")
    cost = Cost(cost_usd=SPENT_USD, code="computed", computed_cost_usd=SPENT_USD, reported_cost_usd=None)
    add_attempt(database, ended_at=utc_now(), user_id=bob.id, cost=cost, lasted_s=0)
    save_budget(database, budget(BUDGET_USD), Author(actor_id=None, subject="", record=record, now=utc_now()))
    database.close()


def _signed_in(page: Page, server: LiveServer, username: str) -> Page:
    open_signed_in(page, server, username=username, password=PASSWORD)
    return page
