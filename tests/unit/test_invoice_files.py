"""What providers' exports say, and which of their rows are left out and why."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.invoice_files import columns_of, guess_mapping, known_layout, read_invoice
from core.costs.invoice_layouts import InvoiceLine
from core.costs.reconcile import comparable_name
from core.costs.tabular import BadRow
from core.errors import ImportRefused

OPENAI_COST = """\
start_time,start_time_iso,amount_value,amount_currency,quantity,quantity_unit,line_item,project_id
1793491200,2026-11-01T00:00:00+00:00,0.8958740000000001,usd,1,tokens,"gpt-6-luna-2026-03-01, input",p
1793491200,2026-11-01T00:00:00+00:00,1.2e-05,usd,1,tokens,"gpt-6-luna-2026-03-01, cached input",p
1793577600,2026-11-02T00:00:00+00:00,,,,,,
1793577600,2026-11-02T00:00:00+00:00,3.10,eur,1,tokens,"gpt-6-luna, output",p
"""
OPENAI_USAGE = """\
start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,input_tokens,output_tokens,input_cached_tokens
1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,p,12,,,gpt-6-luna-2026-03-01,,"1,200",340,100
1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,p,many,,,gpt-6-luna-2026-03-01,,1,1,0
1793491200,1793577600
1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,p,1,,,gpt-6-luna-2026-03-01,,100,1,200
"""
ANTHROPIC_COST = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type
2026-11-01,Claude Haiku 4.5,Default,key,message,≤ 200k,input_no_cache,0.05,0.05,token
2026-11-01,Claude Haiku 4.5,Default,key,message,≤ 200k,output,0.25,0.25,token
"""
ANTHROPIC_USAGE = """\
usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count
2026-11-01,claude-haiku-4-5-20251001,key,Default,standard,≤ 200k,100,20,3,400,50,0
"""


def read(text, **options):
    return read_invoice(text.encode(), name="bill.csv", **options)


def test_openai_costs_come_with_model_and_item():
    found = read(OPENAI_COST)

    assert (found.provider, found.layout, found.gives) == ("openai", "OpenAI cost export", "amounts")
    assert [(line.model, line.item, line.amount_usd) for line in found.lines] == [
        ("gpt-6-luna-2026-03-01", "input", Decimal("0.895874000")),
        ("gpt-6-luna-2026-03-01", "cached input", Decimal("0.000012")),
    ]
    assert found.bad == (BadRow(5, "is in eur: only US dollars can be compared"),)
    assert found.days == {date(2026, 11, 1)}


def test_openai_usage_names_the_lines_that_are_damaged():
    found = read(OPENAI_USAGE)

    assert found.lines == (
        InvoiceLine(
            line=2,
            day=date(2026, 11, 1),
            model="gpt-6-luna-2026-03-01",
            calls=12,
            input_tokens=1200,
            cached_input_tokens=100,
            output_tokens=340,
        ),
    )
    assert found.bad == (
        BadRow(3, "“many” is no count"),
        BadRow(4, "has 2 cells where the header has 13"),
        BadRow(5, "has 200 tokens read from or written to the cache, of 100 in all"),
    )


def test_anthropic_costs_and_usage_are_of_the_same_model():
    (_, output), (usage,) = read(ANTHROPIC_COST).lines, read(ANTHROPIC_USAGE).lines

    assert (output.item, output.amount_usd) == ("output", Decimal("0.25"))
    assert (usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens) == (523, 400, 23)
    assert comparable_name(output.model) == comparable_name(usage.model) == "claude-haiku-4-5"


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("openai/gpt-6.1-sol", "gpt-6-1-sol-2026-03-01"),
        ("GPT-6 Luna", "gpt-6-luna"),
        ("models/gemini-3.5-flash-latest", "gemini-3-5-flash"),
    ],
)
def test_names_of_one_model(name, same):
    assert comparable_name(name) == comparable_name(same)


def test_any_other_file_is_read_by_a_mapping():
    text = "Date;Model;Cost;Prompt tokens;Completion tokens\n2026-11-01;m;1.50;10;20\n01.11.2026;m;1;1;1\n"
    mapping = {"day": "Date", "model": "Model", "amount_usd": "Cost", "output_tokens": "Completion tokens"}

    found = read(text, provider="mistral", mapping=mapping)

    assert found.gives == "both"
    assert found.lines == (
        InvoiceLine(line=2, day=date(2026, 11, 1), model="m", amount_usd=Decimal("1.50"), output_tokens=20),
    )
    assert found.bad == (BadRow(3, "“01.11.2026” is no day such as 2026-11-29"),)


def test_a_mapping_is_guessed_from_the_names_of_columns():
    columns = columns_of(b"Date,Model,Cost USD,Prompt Tokens,Notes\n", name="x.csv")

    assert known_layout(columns) is None
    assert guess_mapping(columns) == {
        "day": "Date",
        "model": "Model",
        "amount_usd": "Cost USD",
        "input_tokens": "Prompt Tokens",
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "has no usable header"),
        (b"a,a\n1,2\n", "some twice"),
        (b"a,b\n1,2\n", "is no export that is known here"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (OPENAI_COST.splitlines()[0].encode(), "No row of bill.csv can be used."),
        ((OPENAI_COST.splitlines()[0] + "\nx,y\n").encode(), "line 2 has 2 cells where the header has 8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_reason(data, said):
    with pytest.raises(ImportRefused) as caught:
        read_invoice(data, name="bill.csv")
    assert said in str(caught.value)


@pytest.mark.parametrize("mapping", [{}, {"day": "a"}, {"day": "a", "amount_usd": "no such"}, {"day": "a", "x": "b"}])
def test_a_mapping_that_is_not_complete_is_refused(mapping):
    with pytest.raises(ImportRefused):
        read_invoice(b"a,b\n1,2\n", name="x.csv", provider="p", mapping=mapping)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20)), max_size=20))
def test_every_row_of_any_file_is_taken_or_named_with_its_line(rows):
    written = io.StringIO()
    csv.writer(written).writerows([("day", "model", "cost"), ("2026-11-01", "m", "1"), *rows])
    mapping = {"day": "day", "model": "model", "amount_usd": "cost"}

    found = read_invoice(
        written.getvalue().encode("utf-8", "surrogatepass").replace(b"\x00", b""),
        name="x.csv",
        provider="p",
        mapping=mapping,
    )

    lines = [line.line for line in found.lines] + [bad.line for bad in found.bad]
    assert len(lines) == len(set(lines))
    assert len(found.lines) >= 1
    assert all(bad.reason for bad in found.bad)
