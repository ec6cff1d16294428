from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from core.costs.gap import Billed, Gap
from core.costs.reconcile import Compared, Reconciliation
from core.spreadsheet import safe_cell
from ui.reconcile_rows import as_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "\n=1"])
def test_text_that_would_begin_a_formula_stays_text(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["gpt-5", "a=b", "", None, -1, Decimal(-1)])
def test_anything_else_stays_as_it_is(value):
    assert safe_cell(value) is value


def test_a_model_of_an_invoice_is_no_formula_and_an_amount_below_zero_is_a_number():
    billed = Billed(amount_usd=Decimal(-3), calls=1, tokens=None)
    cell = Compared(day=date(2026, 11, 1), model="=cmd()", ours=None, billed=billed, gap=Gap(price=Decimal(-3)))
    found = Reconciliation(provider="openai", compared=(cell,), days_without_file=())

    [line] = csv.DictReader(io.StringIO(as_csv(found)))
    assert (line["model"], line["billed_usd"], line["gap_usd"]) == ("'=cmd()", "-3", "-3")
