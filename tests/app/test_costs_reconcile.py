"""The Reconcile tab: a file is read, shown, taken, compared and removed; by administrators only."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from core.clock import utc_now
from core.costs.invoices import list_invoices
from core.costs.pricing import Cost
from core.providers.events import Usage
from tests.support.attempts import add_attempt
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app

NOON = (utc_now() - timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)
COSTS = (
    "start_time,start_time_iso,amount_value,amount_currency,line_item\n"
    f'0,{NOON:%Y-%m-%d},1.50,usd,"gpt-6-luna-2026-03-01, input"\n'
    f"0,{NOON:%Y-%m-%d},0.25,usd,gpt-6-astra\n"
    "0,someday,1,usd,gpt-6-luna\n"
)


# The tab alone, for the last thirty days.
TAB = """
from datetime import timedelta
from types import SimpleNamespace

from core.bootstrap import open_services
from core.clock import utc_now
from ui.auth import current_user
from ui.costs_reconcile import draw_reconcile

services = open_services()
chosen = SimpleNamespace(since=utc_now() - timedelta(days=30), until=utc_now())
draw_reconcile(services, current_user(services), chosen)
"""


@pytest.fixture(name="ada")
def _ada(services):
    cost = Cost(cost_usd=Decimal("1.25"), code="computed", computed_cost_usd=Decimal("1.25"), reported_cost_usd=None)
    add_attempt(
        services.database,
        ended_at=NOON,
        model="gpt-6-luna",
        provider="openai",
        cost=cost,
        usage=Usage(input_tokens=1000, output_tokens=10),
    )
    return add_person(services.database, "ada", role="admin")


@pytest.fixture(name="page")
def _page(ada):
    return sign_in_app(AppTest.from_string(TAB, default_timeout=20), ada)


def upload(page, text, name="costs.csv"):
    page.run()
    page.get("file_uploader")[0].upload(name, text.encode(), "text/csv").run()
    assert not page.exception
    return page


def texts(page):
    kinds = ("markdown", "info", "error", "warning", "caption", "success")
    shown = [str(element.value) for kind in kinds for element in page.get(kind)]
    return "\n".join(shown).replace("\\", "")


def test_without_files_it_says_what_to_do(page):
    page.run()

    assert "Does the ledger agree with what you are billed?" in texts(page)
    assert not page.metric


def test_a_file_is_shown_before_it_is_taken(page, services):
    upload(page, COSTS)

    assert "OpenAI cost export: 2 lines of OpenAI" in texts(page)
    assert "line 4 “someday” is no day such as 2026-11-29" in texts(page)
    assert list_invoices(services.database) == []


def test_what_was_taken_is_compared_and_the_parts_add_up(page, services):
    upload(page, COSTS)
    page.button(key="reconcile_import").click().run()

    assert not page.exception
    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("Billed", "$1.75"),
        ("Computed here", "$1.25"),
        ("Reported per call", "none"),
        ("Gap", "$0.50"),
        ("Coverage", "85.7 %"),
    ]
    (causes,) = [table.value for table in page.table]
    assert sorted(zip(causes["Cause"], causes["Dollars"], strict=True)) == [
        ("Calls missing here", "$0.25"),
        ("Not told apart", "$0.25"),
    ]


def test_the_same_file_is_refused_with_the_reason(page):
    upload(page, COSTS)
    page.button(key="reconcile_import").click().run()

    upload(page, COSTS, name="again.csv")

    assert "This file was imported already, as costs.csv" in texts(page)


def test_an_import_can_be_removed(page, services):
    upload(page, COSTS)
    page.button(key="reconcile_import").click().run()
    (invoice,) = list_invoices(services.database)

    page.button(key=f"remove_invoice_{invoice.id}").click().run()

    assert list_invoices(services.database) == []
    assert not page.metric


def test_any_other_file_is_read_by_choosing_columns(page, services):
    upload(page, f"Datum;Modell;Kosten\n{NOON:%Y-%m-%d};gpt-6-luna;1.25\n", name="other.csv")
    assert "This is no export that is known here." in texts(page)

    page.selectbox(key="reconcile_provider").set_value("openai")
    page.selectbox(key="reconcile_map_day").set_value("Datum")
    page.selectbox(key="reconcile_map_model").set_value("Modell")
    page.selectbox(key="reconcile_map_amount_usd").set_value("Kosten").run()
    page.button(key="reconcile_import").click().run()

    assert not page.exception
    assert "No gap: the bill and the ledger agree to the last digit." in texts(page)


def test_a_file_that_is_no_table_is_refused(page):
    upload(page, "", name="empty.csv")

    assert "empty.csv has no usable header" in texts(page)


def test_members_are_told_that_it_is_for_administrators(services):
    bob = add_person(services.database, "bob")
    page = sign_in_app(AppTest.from_string(TAB, default_timeout=20), bob).run()

    assert "Only administrators compare" in texts(page)
    assert not page.get("file_uploader")
