"""The models as rows and as facts: words for what is unknown, numbers that sort, a CSV that no name can break."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from core.catalog.health import ModelStatus
from core.catalog.models import Capability, Prices
from core.costs.model_figures import ModelFigures
from tests.support.turns import SCRIPTED, model
from ui.model_rows import UNPRICED, Filter, Row, facts, price_words, spent_words, table, to_csv

FREE = Prices(input=Decimal(0), output=Decimal(0))
UNKNOWN = ModelStatus("unknown", "not tried lately")


def row(model_id="gpt", *, figures=None, **changes) -> Row:
    return Row(model=model(model_id, **changes), status=UNKNOWN, figures=figures or ModelFigures())


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Filter(), True),
        (Filter(text="gPt COD"), True),
        (Filter(text="lab"), True),
        (Filter(text="gpt writing"), False),
        (Filter(use_cases=["writing", "coding"]), True),
        (Filter(use_cases=["writing"]), False),
        (Filter(capabilities=["tools", "vision"]), True),
        (Filter(capabilities=["tools", "audio"]), False),
        (Filter(providers=["lab"]), True),
        (Filter(providers=["openai"]), False),
        (Filter(free=True), False),
    ],
)
def test_a_filter_keeps_what_fits_all_of_it(wanted, kept):
    able = frozenset({Capability.TOOLS, Capability.VISION})

    assert wanted.keeps(model(use_cases=("coding",), capabilities=able)) is kept


def test_free_means_a_known_price_of_nothing():
    assert Filter(free=True).keeps(model(prices=FREE))
    assert not Filter(free=True).keeps(model(prices=None))


def test_figures_are_numbers_and_none_where_nobody_knows():
    spent = ModelFigures(answers=1, first_token_ms=600.0, calls=2, spent_usd=Decimal("0.5"), unpriced=1)
    columns = table([row(figures=spent), row("free", prices=FREE), row("dark", prices=None)])

    assert columns["In"] == [3.0, 0.0, UNPRICED]
    assert columns["My month"] == [0.5, None, None]
    assert columns["First token"] == [600.0, None, None]
    assert len({len(values) for values in columns.values()}) == 1


def test_no_rows_keep_the_columns():
    assert all(values == [] for values in table([]).values())


@pytest.mark.parametrize(
    ("usd", "words"),
    [(0.0, "free"), (0.25, "$0.25"), (2, "$2.00"), (0.0000004, "$0.0000004"), (1234.5, "$1,234.50"), (0.075, "$0.075")],
)
def test_a_price_is_readable_at_any_size(usd, words):
    assert price_words(usd) == words


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (ModelFigures(), "not used"),
        (ModelFigures(calls=1, spent_usd=Decimal("1.5")), "$1.50"),
        (ModelFigures(calls=2, unpriced=1, spent_usd=Decimal("1.5")), "at least $1.50"),
        (ModelFigures(calls=2, unpriced=2), "unpriced"),
        (ModelFigures(calls=2), "$0"),
    ],
)
def test_spending_never_claims_more_than_is_known(figures, words):
    assert spent_words(figures) == words


def test_facts_name_others_by_their_labels_and_the_day_of_retirement():
    known = facts(
        row(fallbacks=("b", "gone"), retires_on=date(2027, 3, 5), successor="b", rpm_limit=500),
        {"b": "Model B"},
    )

    assert known["Falls back to"] == "Model B, gone"
    assert known["Retires"] == "5 Mar 2027, then Model B"
    assert known["Limits per minute"] == "500 requests"
    assert known["Status"] == "○ not tried lately"
    assert known["First token, 7 days"] == "not measured"


def test_every_model_has_the_same_facts_and_none_is_empty():
    one, other = facts(row(), {}), facts(row(prices=None, context_tokens=5, use_cases=("a",), note="N"), {})

    assert one.keys() == other.keys()
    assert all(one.values())


def test_a_model_that_is_switched_off_says_so():
    assert row(enabled=False).state == "✕ switched off"


TIERED = Prices(
    input=Decimal("2.5"), output=Decimal(15), cached_input=Decimal("0.25"), request=Decimal("0.005")
).with_tier(200_000, input=Decimal(5), output=Decimal("22.5"))


def test_tiers_stand_in_the_facts_and_in_the_csv():
    header, line = csv.reader(io.StringIO(to_csv([row(prices=TIERED)]).decode("utf-8-sig")))

    assert facts(row(prices=TIERED), {})["Price per million"] == (
        "input $2.50, cached input $0.25, output $15.00, every call $0.005; "
        "above 200k: input $5.00, cached input $0.25, output $22.50, every call $0.005 (from the registry)"
    )
    assert line[header.index("price_tiers")] == "above 200000: 5 in, 0.25 cached in, 22.5 out"


def test_the_csv_holds_exact_prices():
    prices = Prices(input=Decimal("0.0000004"), output=Decimal(15))
    (header, line) = csv.reader(io.StringIO(to_csv([row(prices=prices)]).decode("utf-8-sig")))
    found = dict(zip(header, line, strict=True))

    assert (found["input_usd_per_million"], found["output_usd_per_million"]) == ("0.0000004", "15")
    assert found["cached_input_usd_per_million"] == ""


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@x", 'a,"b"\nc'])
def test_no_name_becomes_a_formula_or_breaks_a_line(label):
    lines = list(csv.reader(io.StringIO(to_csv([row(label=label)]).decode("utf-8-sig"))))

    assert len(lines) == 2
    assert lines[1][1].removeprefix("'") == label
    assert lines[1][1][0] not in "=+-@"
    assert lines[1][2] == SCRIPTED.id
