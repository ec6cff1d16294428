"""Charts from rows: what stands where, in which colour, and in which words."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arena.ratings import HeadToHead
from ui import charts, ratings_charts
from ui.histogram import HistogramBar, histogram

MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001 - a local time
KEYS = [f"model-{number:02}" for number in range(30)]


@given(shown=st.sets(st.sampled_from(KEYS), max_size=9))
def test_nine_at_most_have_nine_different_colours(shown):
    found = charts.colours(shown, known=KEYS)

    assert set(found) == shown
    assert len(set(found.values())) == len(shown)
    assert charts.OTHER_COLOUR not in found.values()


@given(shown=st.sets(st.sampled_from(KEYS[:9]), min_size=1))
def test_of_nine_models_each_has_its_colour_whoever_is_shown_beside_it(shown):
    everywhere = charts.colours(KEYS[:9], known=KEYS[:9])

    assert charts.colours(shown, known=KEYS[:9]) == {key: everywhere[key] for key in shown}


def test_what_is_past_nine_is_one_grey_series():
    weights = {key: Decimal(100 - place) for place, key in enumerate(KEYS)}

    found = charts.series_for(weights, known=KEYS, names={})

    assert [item.key for item in found] == [*KEYS[:9], charts.OTHER]
    assert found[-1].name == "21 others"
    assert found[-1].colour == charts.OTHER_COLOUR


def test_columns_are_stacked_from_zero_in_the_order_of_the_series():
    series = charts.series_for({"a": 3, "b": 1}, known=["a", "b"], names={"a": "Ann", "b": "Bob"})
    pieces = [
        charts.Piece(at=MONDAY, key="b", value=Decimal("0.5"), words="$0.50"),
        charts.Piece(at=MONDAY, key="a", value=Decimal("1.5"), words="$1.50"),
    ]

    chart = charts.stacked_columns(pieces, series, grain="day").to_dict()

    rows = next(iter(chart["datasets"].values()))
    assert [(row["series"], row["low"], row["high"]) for row in rows] == [("Ann", 0.0, 1.5), ("Bob", 1.5, 2.0)]
    assert rows[0]["when"] == "23 Nov 2026"
    # For a screen reader, instead of the names and values of all fields.
    assert rows[0]["told"] == "23 Nov 2026, Ann: $1.50"
    assert chart["encoding"]["description"]["field"] == "told"
    assert chart["encoding"]["color"]["scale"]["range"] == [item.colour for item in series]


@pytest.mark.parametrize(
    ("grain", "after", "middles"),
    [
        ("hour", timedelta(hours=2), [(23, 0, 30), (23, 1, 30), (23, 2, 30)]),
        ("day", timedelta(days=2), [(23, 12, 0), (24, 12, 0), (25, 12, 0)]),
        ("week", timedelta(days=7), [(26, 12, 0), (3, 12, 0)]),
    ],
)
def test_a_label_stands_below_the_middle_of_each_column_the_empty_ones_too(grain, after, middles):
    series = [charts.Series(key="", name="All", colour=charts.PALETTE[0])]
    pieces = [charts.Piece(at=at, key="", value=1, words="") for at in (MONDAY, MONDAY + after)]

    axis = charts.stacked_columns(pieces, series, grain=grain).to_dict()["encoding"]["x"]["axis"]

    assert [(value["date"], value["hours"], value["minutes"]) for value in axis["values"]] == middles


@pytest.mark.parametrize(("hours", "with_day"), [(23, False), (47, True)])
def test_hours_of_more_than_a_day_are_labelled_with_their_day(hours, with_day):
    series = [charts.Series(key="", name="All", colour=charts.PALETTE[0])]
    pieces = [charts.Piece(at=at, key="", value=1, words="") for at in (MONDAY, MONDAY + timedelta(hours=hours))]

    axis = charts.stacked_columns(pieces, series, grain="hour").to_dict()["encoding"]["x"]["axis"]

    assert ("%b" in axis["labelExpr"]) is with_day


def test_bars_are_in_the_order_of_their_lengths():
    series = [charts.Series(key="", name="All", colour=charts.PALETTE[0])]
    pieces = [charts.Piece(bar=name, key="", value=value, words="") for name, value in (("few", 1), ("many", 9))]

    chart = charts.stacked_bars(pieces, series, unit="count").to_dict()

    assert chart["encoding"]["y"]["sort"] == ["many", "few"]


def test_a_histogram_marks_its_percentiles_on_a_logarithmic_axis():
    bars = [HistogramBar(low=1, high=1.1, calls=7, words="1 to 1.1")]

    chart = histogram(bars, {"p50": 1.05}, unit="ms").to_dict()

    assert chart["layer"][0]["encoding"]["x"]["scale"] == {"type": "log"}
    assert chart["layer"][0]["encoding"]["x"]["axis"]["values"] == [1]
    assert len(chart["layer"]) == 3
    assert len(histogram(bars, {}, unit="ms").to_dict()["layer"]) == 1


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        (0.00003, 0.2, [0.0001, 0.001, 0.01, 0.1]),
        (300.0, 4000.0, [500, 1000, 2000, 5000]),
        (7.0, 7.1, [7]),
    ],
)
def test_a_histogram_is_labelled_at_round_values(low, high, values):
    bars = [HistogramBar(low=low, high=high, calls=1, words="")]

    axis = histogram(bars, {}, unit="count").to_dict()["layer"][0]["encoding"]["x"]["axis"]

    assert axis["values"] == values


def test_a_histogram_of_times_is_labelled_in_seconds_and_minutes():
    bars = [HistogramBar(low=400, high=130_000, calls=1, words="")]

    axis = histogram(bars, {}, unit="ms").to_dict()["layer"][0]["encoding"]["x"]["axis"]

    assert axis["values"] == [1_000, 3_000, 10_000, 30_000, 60_000]


def test_names_in_a_legend_are_text():
    legend = charts.legend_html([charts.Series(key="x", name="<b>&", colour="#000000")], counts={"x": 1200})

    assert "&lt;b&gt;&amp; 1,200" in legend


def test_a_chart_says_in_words_what_it_shows():
    words = charts.columns_alt("Spend per day", {"a": Decimal(2), "b": Decimal(1)}, {"a": "Ann"}, total="$3.00")

    assert words == "Spend per day: $3.00 in all. Most: Ann $2.00, b $1.00."


def test_who_beat_whom_is_read_from_the_best_to_the_worst_and_then_those_without_a_rating():
    pairs = [
        HeadToHead(model_id=one, other_id=other, votes=4, share=0.5)
        for one in ("a", "b", "new")
        for other in ("a", "b", "new")
        if one != other
    ]
    labels = {"a": "Alpha", "b": "Beta", "new": "New"}
    encoding = ratings_charts.matrix_chart(pairs, labels, ["b", "a"]).to_dict()["layer"][0]["encoding"]
    assert encoding["x"]["sort"] == encoding["y"]["sort"] == ["Beta", "Alpha", "New"]
