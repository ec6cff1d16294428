"""A provider's files in the store, and three figures for the same calls."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.accounts.audit import list_audit, record
from core.catalog.models import ModelSpec, Prices, ProviderSpec
from core.costs.gap import Gap
from core.costs.invoice_files import read_invoice
from core.costs.invoices import import_invoice, known_providers, list_invoices, remove_invoice, taken_days
from core.costs.pricing import Cost
from core.costs.reconcile import reconcile
from core.errors import ImportRefused, NotFound
from core.providers.events import Usage
from core.store.views import create_views
from tests.support.attempts import add_attempt

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC).replace(tzinfo=None)
DAY = NOON.date()
PRICES = Prices(input=Decimal(2), output=Decimal(8))
LUNA = ModelSpec(
    id="luna", label="Luna", provider=ProviderSpec(id="openai", kind="openai"), upstream="gpt-6-luna", prices=PRICES
)
PERIOD = {"since": DAY, "until": DAY + timedelta(days=7), "models": {"luna": LUNA}}
COST = "start_time_iso,start_time,amount_value,amount_currency,line_item\n"
USAGE = "start_time_iso,start_time,model,num_model_requests,input_tokens,output_tokens\n"


@pytest.fixture(name="ledger")
def _ledger(database):
    create_views(database)
    return database


def costs(*rows, name="costs.csv"):
    return read_invoice((COST + "".join(f"{row}\n" for row in rows)).encode(), name=name)


def usage(*rows, name="usage.csv"):
    return read_invoice((USAGE + "".join(f"{row}\n" for row in rows)).encode(), name=name)


def add_call(database, *, cost="0.010", at=NOON, reported=None, **fields):
    amount = None if cost is None else Decimal(cost)
    figures = Cost(
        cost_usd=amount if reported is None else Decimal(reported),
        code="computed" if cost else "unpriced",
        computed_cost_usd=amount,
        reported_cost_usd=None if reported is None else Decimal(reported),
    )
    given = {"model": "luna", "provider": "openai", "usage": Usage(input_tokens=1000, output_tokens=1000)}
    add_attempt(database, ended_at=at, cost=figures, **{**given, **fields})


def test_what_agrees_has_no_gap_and_is_covered_whole(ledger):
    add_call(ledger, upstream_model="gpt-6-luna-2026-03-01", reported="0.010")
    import_invoice(
        ledger,
        costs(f"{DAY},0,0.002,usd,gpt-6-luna", f"{DAY},0,0.008,usd,gpt-6-luna"),
        actor_id=None,
        record=record,
    )
    import_invoice(ledger, usage(f"{DAY},0,gpt-6-luna-2026-03-01,1,1000,1000"), actor_id=None, record=record)

    found = reconcile(ledger, ledger, provider="openai", **PERIOD)

    (cell,) = found.compared
    assert (found.computed_usd, found.reported_usd, found.billed_usd) == (Decimal("0.010"),) * 3
    assert (cell.gap, cell.ours.reported_calls, found.coverage_percent) == (Gap(), 1, 100)


def test_each_side_s_own_models_are_missing_on_the_other(ledger):
    add_call(ledger)
    add_call(ledger, model="unknown", cost="0.5")
    import_invoice(
        ledger, costs(f"{DAY},0,0.010,usd,gpt-6-luna", f"{DAY},0,0.030,usd,gpt-6-astra"), actor_id=None, record=record
    )

    found = reconcile(ledger, ledger, provider="openai", **PERIOD)

    assert found.gap == Gap(not_for_calls=Decimal("0.030"), missing_there=Decimal("-0.5"))
    assert found.gap.total == found.billed_usd - found.computed_usd
    assert found.coverage_percent == 25


def test_lines_without_a_call_here_are_told_from_missing_calls(ledger):
    tomorrow = DAY + timedelta(days=1)
    add_call(ledger, model="gone", upstream_model="gpt-6-old")
    lines = (
        f"{DAY},0,1,usd,gpt-6-luna",  # may be called here
        f"{tomorrow},0,2,usd,gpt-6-old",  # was called here the day before
        f"{DAY},0,4,usd,",
        f"{DAY},0,8,usd,web search tool calls",
    )
    import_invoice(ledger, costs(*lines), actor_id=None, record=record)

    found = reconcile(ledger, ledger, provider="openai", **PERIOD)

    assert found.gap == Gap(missing_here=Decimal(3), not_for_calls=Decimal(12), missing_there=Decimal("-0.010"))


def test_calls_that_were_never_billed_do_not_count(ledger):
    add_call(ledger, cached=True)
    add_call(ledger, usage=Usage(input_tokens=0, output_tokens=0), status="rate_limit")
    add_call(ledger, provider="anthropic")
    import_invoice(ledger, costs(f"{DAY},0,0.010,usd,gpt-6-luna"), actor_id=None, record=record)

    (cell,) = reconcile(ledger, ledger, provider="openai", **PERIOD).compared

    assert cell.ours is None


def test_an_unpriced_call_is_named_and_not_guessed(ledger):
    add_call(ledger)
    add_call(ledger, cost=None)
    import_invoice(ledger, costs(f"{DAY},0,0.020,usd,gpt-6-luna"), actor_id=None, record=record)

    assert reconcile(ledger, ledger, provider="openai", **PERIOD).gap.unpriced == Decimal("0.010")


def test_days_that_no_file_covers_are_told_and_not_compared(ledger):
    add_call(ledger)
    add_call(ledger, at=NOON + timedelta(days=2))
    import_invoice(ledger, costs(f"{DAY},0,0.010,usd,gpt-6-luna"), actor_id=None, record=record)

    found = reconcile(ledger, ledger, provider="openai", **PERIOD)

    assert [cell.day for cell in found.compared] == [DAY]
    assert found.days_without_file == (DAY + timedelta(days=2),)


def test_without_a_file_there_is_nothing_to_compare(ledger):
    add_call(ledger)

    found = reconcile(ledger, ledger, provider="openai", **PERIOD)

    assert (found.compared, found.coverage_percent, found.gap.total) == ((), None, 0)
    assert known_providers(ledger) == ["openai"]


def test_a_file_is_never_taken_twice(ledger):
    file = costs(f"{DAY},0,0.010,usd,gpt-6-luna")
    import_invoice(ledger, file, actor_id=None, record=record)

    with pytest.raises(ImportRefused, match=r"imported already, as costs\.csv"):
        import_invoice(ledger, costs(f"{DAY},0,0.010,usd,gpt-6-luna", name="again.csv"), actor_id=None, record=record)
    assert len(list_invoices(ledger)) == 1


def test_a_day_never_counts_twice(ledger):
    tomorrow = DAY + timedelta(days=1)
    import_invoice(ledger, costs(f"{DAY},0,1,usd,gpt-6-luna", name="first.csv"), actor_id=None, record=record)
    import_invoice(ledger, usage(f"{DAY},0,gpt-6-luna,1,1,1"), actor_id=None, record=record)
    both = costs(f"{DAY},0,5,usd,gpt-6-luna", f"{tomorrow},0,2,usd,gpt-6-luna", name="both.csv")

    assert taken_days(ledger, both).days == {DAY}
    assert taken_days(ledger, both).files == ("first.csv",)
    import_invoice(ledger, both, actor_id=None, record=record)
    with pytest.raises(ImportRefused, match=r"Every day of late\.csv is in first\.csv already"):
        import_invoice(ledger, costs(f"{DAY},0,3,usd,gpt-6-luna", name="late.csv"), actor_id=None, record=record)

    assert reconcile(ledger, ledger, provider="openai", **PERIOD).billed_usd == 3


def test_an_import_is_listed_audited_and_can_be_removed(ledger):
    file = costs(f"{DAY},0,1.5,usd,gpt-6-luna", f"{DAY},0,broken,usd,gpt-6-luna")
    invoice_id = import_invoice(ledger, file, actor_id=None, record=record, clock=lambda: NOON)

    (listed,) = list_invoices(ledger)
    assert (listed.id, listed.lines, listed.bad_rows, listed.amount_usd) == (invoice_id, 1, 1, Decimal("1.5"))
    assert (listed.first_day, listed.last_day, listed.imported_at) == (DAY, date(2026, 11, 1), NOON)

    remove_invoice(ledger, invoice_id, actor_id=None, record=record)

    assert list_invoices(ledger) == []
    assert [entry.action for entry in list_audit(ledger)] == ["invoice.remove", "invoice.import"]
    with pytest.raises(NotFound):
        remove_invoice(ledger, invoice_id, actor_id=None, record=record)
    import_invoice(ledger, file, actor_id=None, record=record)
