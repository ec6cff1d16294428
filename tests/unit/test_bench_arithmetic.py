from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.catalog import GROUPS, MEASURES, AtMost, Measure, TimesPlain, chosen, with_ratios
from bench.stats import gaps, percentile
from bench.table import missed, number, render, verdict

FAST = Measure("speed", "some", "speed", "/s", TimesPlain(1.5))
LATE = Measure("late", "some", "end lag", "ms", AtMost(150))
BARE = Measure("bare", "some", "bytes", "kB")

figures = st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=1, max_size=50)


def test_percentile_is_linear_between_neighbours() -> None:
    assert percentile([40, 10, 30, 20], 0.5) == 25
    assert percentile([1, 2, 3, 4, 5], 0.95) == pytest.approx(4.8)
    assert percentile([7], 0.95) == 7


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(figures, st.floats(min_value=0, max_value=1))
def test_percentile_lies_within_the_values(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) <= max(values)


@given(figures)
def test_gaps_add_up_to_the_whole_time(values: list[float]) -> None:
    assert sum(gaps(values)) == pytest.approx(values[-1] - values[0], abs=1e-3)


def test_ratios_are_of_medians_and_only_of_what_was_measured() -> None:
    samples = with_ratios({"load_empty": [100, 200, 900], "load_100": [300], "received_500": [10]})

    assert samples["load_ratio"] == [1.5]
    assert "received_ratio" not in samples


def test_every_key_is_one_and_every_group_has_measures() -> None:
    assert len({measure.key for measure in MEASURES}) == len(MEASURES)
    assert all(chosen([group]) for group in GROUPS)


def test_a_limit_holds_up_to_its_value() -> None:
    assert verdict(LATE, {"ours": {"late": [150]}}) is True
    assert verdict(LATE, {"ours": {"late": [100, 151, 400]}}) is False


def test_a_factor_needs_both_applications() -> None:
    assert verdict(FAST, {"plain": {"speed": [400]}, "ours": {"speed": [600]}}) is True
    assert verdict(FAST, {"plain": {"speed": [400]}, "ours": {"speed": [599]}}) is False
    assert verdict(FAST, {"ours": {"speed": [600]}}) is None


def test_missed_lists_only_what_fails() -> None:
    results = {"plain": {"speed": [400.0]}, "ours": {"speed": [500.0], "late": [10.0], "bare": [1.0]}}

    assert missed([FAST, LATE, BARE], results) == [FAST]


def test_the_table_shows_medians_spread_ratio_and_verdict() -> None:
    table = render([LATE, BARE, FAST], {"plain": {"late": [300, 100, 200]}, "ours": {"late": [50], "bare": [1200]}})

    head, rule, late, bare = table.splitlines()
    cells = [cell.strip() for cell in late.strip("|").split("|")]
    assert cells == ["end lag (ms)", "200 (100 to 300)", "50.0", "0.25", "at most 150", "ok"]
    assert bare.split("|")[2].strip() == ""
    assert len({len(line) for line in (head, rule, late, bare)}) == 1


@pytest.mark.parametrize(("value", "text"), [(12345.6, "12,346"), (99.94, "99.9"), (9.876, "9.88"), (-0.5, "-0.50")])
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert number(value) == text
