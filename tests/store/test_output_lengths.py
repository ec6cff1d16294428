"""How long answers are, from the ledger: by model and use case, with less and less to go by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.costs.output_lengths import DEFAULT_LENGTH, KeptLengths, OutputLength, measure_lengths
from tests.support.attempts import add_attempt
from tests.support.moving_clock import MovingClock


@pytest.fixture(name="clock")
def _clock() -> MovingClock:
    return MovingClock()


@pytest.fixture(name="add")
def _add(database, clock):
    def add(tokens, **fields):
        for count in tokens:
            add_attempt(database, ended_at=clock.now, tokens=count, **fields)

    return add


def test_the_middle_half_of_a_models_answers_in_a_use_case(database, clock, add) -> None:
    add(range(100, 121), use_case="coding")
    add(range(1000, 1021), use_case="everyday")

    lengths = measure_lengths(database, now=clock.now)

    assert lengths.of("gpt", "coding") == OutputLength(low=105, high=115, basis="model and use case", answers=21)
    assert lengths.of("gpt", "everyday").low == 1005


def test_too_few_in_a_use_case_take_the_models_own_and_an_unknown_model_takes_all(database, clock, add) -> None:
    add(range(100, 121))
    add([900], use_case="coding")
    add(range(200, 241), model="other")

    lengths = measure_lengths(database, now=clock.now)

    assert (lengths.of("gpt", "coding").basis, lengths.of("gpt", "coding").answers) == ("model", 22)
    assert (lengths.of("new").basis, lengths.of("new").answers) == ("all models", 63)


def test_nineteen_answers_are_too_few_for_anything_but_the_default(database, clock, add) -> None:
    add(range(19))

    assert measure_lengths(database, now=clock.now).of("gpt") == DEFAULT_LENGTH


@pytest.mark.parametrize(
    "fields", [{"status": "server"}, {"status": "stopped"}, {"cached": True}, {"source": "probe"}, {"source": "title"}]
)
def test_what_is_no_whole_answer_to_a_person_does_not_count(database, clock, add, fields) -> None:
    add(range(100, 121))
    add([5000] * 30, **fields)

    assert measure_lengths(database, now=clock.now).of("gpt").answers == 21


def test_what_is_older_than_a_quarter_does_not_count(database, clock, add) -> None:
    add(range(100, 121))
    clock.advance(days=91)

    assert measure_lengths(database, now=clock.now).of("gpt") == DEFAULT_LENGTH


def test_lengths_are_kept_for_ten_minutes(database, clock, add) -> None:
    kept = KeptLengths(database, clock=clock)
    assert kept.current().of("gpt") == DEFAULT_LENGTH
    add(range(100, 121))
    clock.advance(minutes=9)
    assert kept.current().of("gpt") == DEFAULT_LENGTH
    clock.now += timedelta(minutes=1)

    assert kept.current().of("gpt").low == 105


def test_an_output_limit_cuts_the_range() -> None:
    length = OutputLength(low=200, high=900, basis="model", answers=50)

    assert [(cut.low, cut.high) for cut in map(length.within, (None, 1000, 500, 100))] == [
        (200, 900),
        (200, 900),
        (200, 500),
        (100, 100),
    ]
