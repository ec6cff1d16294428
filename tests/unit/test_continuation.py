"""Answers in several parts: one answer for the reader, whose figures are the sums of its parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from core.chat.continuation import as_read, unfinished
from core.chat.conversation import AnswerFigures, Message

NOW = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - naive UTC is the store's own form
FIGURES = AnswerFigures(
    input_tokens=10,
    cached_input_tokens=4,
    output_tokens=20,
    reasoning_tokens=2,
    cost_usd=Decimal("0.01"),
    cost_code="computed",
    first_token_ms=500,
    duration_ms=2500,
    tokens_per_second=10.0,
)


def part(name, parent, content="", **changes):
    """A part of an answer."""
    given = {"role": "assistant", "status": "complete", "model_label": "Swift", "served_model": "swift", **changes}
    return Message(
        id=name, conversation_id="c", parent_id=parent, turn_id=f"t-{name}", content=content, created_at=NOW, **given
    )


QUESTION = part("q", None, "Why?", role="user", model_label=None, served_model=None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "stopped"}, True),
        ({"status": "broken"}, True),
        ({"status": "interrupted"}, True),
        ({"finish_reason": "length"}, True),
        ({"finish_reason": "stop"}, False),
        ({"status": "failed"}, False),
        ({"status": "stopped", "content": " "}, False),
        ({"status": "stopped", "role": "user"}, False),
    ],
)
def test_what_can_go_on(changes, expected):
    given = {"content": "Half", **changes}

    assert unfinished(part("a", "q", **given)) is expected


def test_parts_are_read_as_one_answer_without_a_seam():
    path = [
        QUESTION,
        part("a", "q", "Forty-", status="stopped", figures=FIGURES),
        part("b", "a", "two is", finish_reason="length", figures=FIGURES),
        part("c", "b", " it.", finish_reason="stop", figures=FIGURES),
        part("q2", "c", "Thanks", role="user"),
    ]

    question, answer, follow_up = as_read(path)

    assert (question.id, answer.id, follow_up.id) == ("q", "a", "q2")
    assert (answer.content, answer.status, answer.finish_reason) == ("Forty-two is it.", "complete", "stop")
    assert answer.figures == replace(
        FIGURES,
        input_tokens=30,
        cached_input_tokens=12,
        output_tokens=60,
        reasoning_tokens=6,
        cost_usd=Decimal("0.03"),
        duration_ms=7500,
    )


def test_answers_that_were_whole_stay_apart():
    path = [QUESTION, part("a", "q", "One."), part("b", "a", "Two.")]

    assert as_read(path) == path


def test_a_part_that_failed_leaves_the_answer_as_it_was_and_can_be_followed_by_another():
    path = [
        QUESTION,
        part("a", "q", "Half", status="stopped"),
        part("b", "a", status="failed", error_message="Away. Try again.", model_label="Other"),
    ]

    _, failed = as_read(path)
    _, whole = as_read([*path, part("c", "b", " done", model_label="Other")])

    assert (failed.content, failed.status, failed.error_message) == ("Half", "broken", "Away. Try again.")
    assert failed.model_label == "Swift"
    assert unfinished(failed)
    assert (whole.content, whole.status, whole.error_message) == ("Half done", "complete", None)
    assert whole.model_label == "Swift, then Other"


@pytest.mark.parametrize(
    ("codes", "costs", "code", "cost"),
    [
        (("partial", "computed"), ("0.01", "0.02"), "estimated", Decimal("0.03")),
        (("reported", "computed"), ("0.01", "0.02"), "computed", Decimal("0.03")),
        (("computed", "unpriced"), ("0.01", None), "unpriced", None),
        (("free", "free"), ("0", "0"), "free", Decimal(0)),
    ],
)
def test_the_cost_of_an_answer_is_as_sure_as_its_least_sure_part(codes, costs, code, cost):
    first, then = (
        replace(FIGURES, cost_code=name, cost_usd=None if usd is None else Decimal(usd))
        for name, usd in zip(codes, costs, strict=True)
    )

    answer = as_read(
        [part("a", None, "Half", status="stopped", figures=first), part("b", "a", " whole", figures=then)]
    )[0]

    assert answer.figures is not None
    assert (answer.figures.cost_code, answer.figures.cost_usd) == (code, cost)
