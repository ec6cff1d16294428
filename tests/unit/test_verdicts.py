"""A judge's verdict: read strictly, never guessed; two orders that disagree are a tie."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arena.set_report import Pairwise, Score, scores
from core.arena.verdicts import Verdict, combine, judge_prompt, read_verdict

CHOICES = st.sampled_from(["A", "B", "tie"])


@given(CHOICES, st.text(max_size=200))
def test_a_json_object_is_read_bare_and_fenced(choice, reason):
    held = json.dumps({"reason": reason, "verdict": choice})
    wanted = Verdict(choice, reason.strip() or None)
    assert read_verdict(held) == wanted
    assert read_verdict(f" ```json\n{held}\n``` ") == wanted


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("A is clearer.\nA", Verdict("A", "A is clearer.")),
        ("Both fine.\n\nTie\n", Verdict("tie", "Both fine.")),
        ("B", Verdict("B", None)),
        ('A is clearer.\n\n{"verdict": "A", "reason": "clear"}', Verdict("A", "clear")),
        ('Let me see.\n```json\n{"verdict": "tie"}\n```', Verdict("tie", None)),
        ('{"verdict": "A"}\n{"verdict": "B"}', Verdict("B", None)),
        ('{"verdict": "A"}\nNo, B is better.', None),
        ("", None),
        ("A is better than B", None),
        ("a", None),
        ("Verdict: A", None),
        ('{"verdict": "C"}', None),
        ('{"verdict": ["A"]}', None),
        ('["A"]', None),
        ("I choose A or B\nA or B", None),
        ("[" * 100_000, None),
    ],
)
def test_what_is_no_verdict_is_none(text, verdict):
    assert read_verdict(text) == verdict


@given(st.text(max_size=300))
def test_nothing_raises(text):
    found = read_verdict(text)
    assert found is None or found.choice in {"A", "B", "tie"}


@given(CHOICES, CHOICES)
def test_orders_that_disagree_are_a_tie(straight, swapped):
    outcome = combine(straight, swapped)
    if (straight, swapped) == ("A", "B"):
        assert outcome == "first"
    elif (straight, swapped) == ("B", "A"):
        assert outcome == "second"
    else:
        assert outcome == "tie"


def test_half_a_judgement_is_none():
    assert combine("A", None) is None
    assert combine(None, "A") is None


def test_the_question_holds_every_turn_and_answer_and_names_no_model():
    asked = judge_prompt(["One?", "Two?"], ["a1", "a2"], ["b1", "b2"])
    assert [asked.index(part) for part in ("a1", "a2", "b1", "b2")] == sorted(
        asked.index(part) for part in ("a1", "a2", "b1", "b2")
    )


MODELS = st.sampled_from(["x", "y", "z"])


@given(st.lists(st.tuples(MODELS, MODELS, st.booleans()).filter(lambda pair: pair[0] != pair[1])))
def test_every_win_is_somebodys_loss(games):
    outcomes = [Pairwise(position=0, models=(one, two), winner=one if won else None) for one, two, won in games]
    found = scores(outcomes)
    assert sum(score.wins for score in found.values()) == sum(score.losses for score in found.values())
    assert sum(score.games for score in found.values()) == 2 * len(games)
    assert Score(1, 2, 3).games == 6
