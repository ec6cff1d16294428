"""The models as rows and as facts: words for what is unknown, numbers that sort, a CSV that no name can break."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from decimal import Decimal

import pytest

from core.catalog.health import Calls, Figures, ModelStatus, Percentiles
from core.catalog.models import Capability, Hours, OffPeak, Prices
from core.costs.model_figures import ModelFigures
from tests.support.turns import SCRIPTED, model
from ui.model_rows import UNPRICED, Filter, Row, in_recommended_order, table, to_csv

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


def test_the_recommended_come_first_with_their_rank_and_nobody_is_lost():
    rows = [
        row("other"),
        row("dear", use_cases=("coding",), prices=Prices(input=Decimal(9), output=Decimal(9))),
        row("cheap", use_cases=("coding",)),
        row("off", use_cases=("coding",), enabled=False),
    ]
    ordered = in_recommended_order(rows, "coding")

    assert [(found.model.id, found.rank) for found in ordered] == [
        ("cheap", 1),
        ("dear", 2),
        ("other", None),
        ("off", None),
    ]
    assert table(ordered)["Rank"] == [1, 2, None, None]
    assert "Rank" not in table(rows)


def test_the_table_has_percentiles_and_the_share_that_worked():
    day = Figures(day=Calls(worked=19, failed=1), first_token_day_ms=Percentiles(20, 600.0, 1900.0))
    columns = table([Row(model=model(), status=ModelStatus("healthy", "healthy", figures=day), strip="data:")])

    assert (columns["p95"], columns["Worked"], columns["24 h"]) == ([1900.0], [0.95], ["data:"])


def test_no_rows_keep_the_columns():
    assert all(values == [] for values in table([]).values())


TIERED = Prices(
    input=Decimal("2.5"), output=Decimal(15), cached_input=Decimal("0.25"), request=Decimal("0.005")
).with_tier(200_000, input=Decimal(5), output=Decimal("22.5"))


def test_tiers_stand_in_the_csv():
    header, line = csv.reader(io.StringIO(to_csv([row(prices=TIERED)]).decode("utf-8-sig")))

    assert line[header.index("price_tiers")] == "above 200000: 5 in, 0.25 cached in, 22.5 out"


def test_off_peak_prices_stand_in_the_csv():
    cheap = OffPeak(hours=(Hours(since=0, until=60),), prices=FREE)
    header, line = csv.reader(io.StringIO(to_csv([row(prices=replace(TIERED, off_peak=cheap))]).decode("utf-8-sig")))

    assert line[header.index("price_tiers")].endswith("; off-peak: 0 in, 0 out")


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
