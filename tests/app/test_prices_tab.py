"""The tab "Prices" of the Admin page under AppTest: proposals, the book, entering a price with a preview."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.audit import list_audit
from core.bootstrap import close_services, open_services
from core.catalog.models import Prices, PriceTier
from core.clock import utc_now
from core.costs.price_sheets import NewPrice
from core.providers.events import Usage
from core.settings import Settings
from tests.support.attempts import add_attempt
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app

FILE = """
providers:
  lab: {{kind: openai, api_base: 'http://127.0.0.1:9/v1', api_key: none}}
models:
  - {{id: swift, call: lab/swift, label: Swift, price: {{input: {price}, output: 2}}}}
  - {{id: odd, call: lab/odd, label: Odd}}
"""


@pytest.fixture(name="registry")
def _registry(tmp_path):
    path = tmp_path / "models.yaml"
    path.write_text(FILE.format(price="0.0000004"), encoding="utf-8")
    return path


@pytest.fixture(name="services")
def _services(tmp_path, registry):
    close_services()
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    close_services()


@pytest.fixture(name="ada")
def _ada(services):
    return add_person(services.database, "ada", role="admin")


@pytest.fixture(name="page")
def _page(ada):
    page = sign_in_app(AppTest.from_file(str(ROOT / "pages" / "admin_page.py"), default_timeout=20), ada)
    page.session_state["admin_tab"] = "Prices"
    return page.run()


def _click(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def _field(page: AppTest, kind: str, label: str):
    return next(field for field in page.get(kind) if field.label == label)


def _said(page: AppTest) -> str:
    parts = (*page.caption, *page.markdown, *page.info, *page.error, *page.subheader)
    return " ".join(part.value.replace("\\", "") for part in parts)


def _table(page: AppTest, column: str):
    return next(part.value for part in page.dataframe if column in part.value.columns)


def _call(services, model, **fields):
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    add_attempt(services.database, model=model, ended_at=utc_now() - timedelta(minutes=1), usage=usage, **fields)


def test_the_book_shows_what_is_in_force_to_the_last_digit(page):
    assert not page.exception
    table = _table(page, "Input")
    assert (list(table["Model"]), list(table["Input"]), list(table["Source"])) == (
        ["Swift"],
        [4e-7],
        ["Registry file"],
    )
    assert "Unpriced: Odd." in _said(page)
    assert "No price waits to be decided" in _said(page)


def test_a_price_entered_late_is_previewed_and_corrects_the_past(page, services, ada):
    _call(services, "odd")
    page.selectbox(key="prices_model").set_value("odd").run()
    assert "its calls are unpriced" in _said(page)
    _field(page, "text_input", "Input").set_value("0.5")
    _field(page, "text_input", "Output").set_value("$1,000")
    _field(page, "text_input", "Why").set_value("The invoice")
    page.selectbox(key="price_odd_0_from").set_value("at a moment")
    day = (utc_now() - timedelta(days=2)).date()
    _field(page, "date_input", "Begins on").set_value(day)
    _click(page, "Preview")

    assert "Corrects 1 of 1 calls, 1 of them unpriced until now: $0 becomes $0.50 (+$0.50)." in _said(page)
    assert "odd" not in services.prices.sheets()

    _click(page, "Enter this price")

    assert not page.exception
    (sheet,) = services.prices.sheets()["odd"]
    assert (sheet.prices.output, sheet.reason, sheet.entered_by) == (Decimal(1000), "The invoice", "Ada")
    assert services.database.fetch_one("select cost_usd, cost_code from ledger") == {
        "cost_usd": Decimal("0.5"),
        "cost_code": "computed",
    }
    assert list_audit(services.database)[0].action == "price.enter"
    assert "Preview: Odd" not in _said(page)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Input": "cheap", "Output": "1", "Why": "x"}, "cheap is no price for Input"),
        ({"Input": "1", "Why": "x"}, "Output missing"),
        ({"Input": "1", "Output": "1"}, "Every change of a price says why"),
        ({"Input": "-1", "Output": "1", "Why": "x"}, "is no price for input"),
        ({"Input": "NaN", "Output": "1", "Why": "x"}, "NaN is no price for Input"),
        ({"Input": "2,50", "Output": "1", "Why": "x"}, "2,50 is no price for Input"),
    ],
)
def test_bad_input_says_what_to_do_and_keeps_what_was_typed(page, services, fields, said):
    page.selectbox(key="prices_model").set_value("odd").run()
    for label, text in fields.items():
        _field(page, "text_input", label).set_value(text)
    _click(page, "Preview")

    assert not page.exception
    assert said in _said(page)
    assert _field(page, "text_input", "Input").value == fields["Input"]
    assert "odd" not in services.prices.sheets()


@pytest.fixture(name="proposed")
def _proposed(services, registry, ada):
    """An administrator's own price, and a file that says another one since."""
    price = NewPrice(
        model_id="swift",
        prices=Prices(input=Decimal(1), output=Decimal(2)),
        valid_from=utc_now(),
        reason="Our contract",
    )
    services.prices.enter(price, offered=services.registry.offered().get("swift").prices, actor_id=ada.id)
    _call(services, "swift")
    registry.write_text(FILE.format(price="3"), encoding="utf-8")
    services.registry.reload()


def test_a_proposal_shows_its_effect_and_is_accepted_with_a_reason(proposed, page, services):
    assert "1 price has changed at the source" in _said(page)
    table = _table(page, "What changes")
    assert list(table["What changes"]) == ["input $1.00 → $3.00"]
    assert (list(table["Calls this month"]), list(table["At the new price"])) == ([1], [3.0])

    _click(page, "Accept")
    assert "Every change of a price says why" in _said(page)
    page.text_input(key="prices_why").set_value("They wrote to us")
    _click(page, "Accept")

    assert not page.exception
    assert services.prices.prices()["swift"].input == 3
    assert "No price waits to be decided" in _said(page)
    page.selectbox(key="prices_model").set_value("swift").run()
    history = next(part.value for part in page.dataframe if "Version" in part.value.columns[:1])
    assert (list(history["Version"]), list(history["Input"])) == ([3, 2, 1], [3, 1, 4e-7])


def test_a_declined_proposal_is_gone_and_the_price_as_it_was(proposed, page, services):
    page.text_input(key="prices_why").set_value("A slip")
    _click(page, "Decline")

    assert not page.exception
    assert services.prices.prices()["swift"].input == 1
    assert "No price waits to be decided" in _said(page)


def test_longer_inputs_stay_in_a_price_that_is_entered_again(page, services, ada):
    long = PriceTier(above_tokens=200_000, prices=Prices(input=Decimal(6), output=Decimal("22.50")))
    usual = Prices(input=Decimal(3), output=Decimal(15), tiers=(long,))
    price = NewPrice(model_id="swift", prices=usual, valid_from=utc_now() - timedelta(days=1), reason="list")
    services.prices.enter(price, offered=None, actor_id=ada.id)
    page.selectbox(key="prices_model").set_value("swift").run()

    _field(page, "text_input", "Input").set_value("4")
    page.text_input(key="price_swift_2_why").set_value("A new list")
    _click(page, "Preview")

    assert "Input $4.00, output $15.00; above 200,000: input $6.00, output $22.50. From" in _said(page)


def test_a_price_is_ended_without_another_one(page, services, ada):
    page.selectbox(key="prices_model").set_value("swift").run()
    page.text_input(key="price_end_swift_1_why").set_value("No longer sold")
    _click(page, "End the price")

    assert not page.exception
    assert services.prices.prices()["swift"] is None
    assert services.registry.current().get("swift").prices is None
    assert "Unpriced: Swift, Odd." in _said(page)
    assert "No price waits to be decided" in _said(page)
    assert list_audit(services.database)[0].action == "price.end"
    assert not [button for button in page.button if button.label == "End the price"]


def test_nothing_of_it_is_worked_out_while_another_tab_is_open(ada):
    page = sign_in_app(AppTest.from_file(str(ROOT / "pages" / "admin_page.py"), default_timeout=20), ada).run()

    assert not page.exception
    assert not [button for button in page.button if button.label == "Preview"]
    assert "Price book" not in _said(page)
