"""Votes are kept once per person and pair, void ones apart; boards follow them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arena.boards import Boards
from core.arena.naming import names_its_maker
from core.arena.votes import Ballot, Side, cast_vote, choose_pair, find_vote, votes_by_pair, why_void
from core.errors import SwitchboardError
from tests.support.turns import model

NOW = datetime.fromisoformat("2026-11-23T12:00")


def side(message_id, model_id, text="Fine.", *, whole=True):
    return Side(message_id=message_id, model=model(model_id), text=text, whole=whole)


def ballot(left="a", right="b", *, user="ann", number=1, use_case=None, **texts):
    return Ballot(
        user_id=user,
        comparison_id="c",
        left=side(f"{left}{number}", left, **texts),
        right=side(f"{right}{number}", right),
        use_case=use_case,
    )


def test_a_vote_is_found_again_from_either_side(database):
    cast_vote(database, ballot(), "left", reason="  shorter ")

    assert find_vote(database, ballot()).outcome == "left"
    turned = find_vote(database, ballot("b", "a"))
    assert (turned.outcome, turned.reason, turned.void) == ("right", "shorter", None)
    assert find_vote(database, ballot(user="bob")) is None


def test_nobody_votes_twice_on_a_pair(database):
    cast_vote(database, ballot(), "tie")

    with pytest.raises(SwitchboardError, match="You have voted on these two answers"):
        cast_vote(database, ballot("b", "a"), "left")
    cast_vote(database, ballot(user="bob"), "left")
    assert votes_by_pair(database) == {("a", "b"): 2}


def test_one_model_against_itself_is_refused(database):
    with pytest.raises(SwitchboardError, match="the same model"):
        cast_vote(database, Ballot(user_id="ann", comparison_id="c", left=side("1", "a"), right=side("2", "a")), "tie")


def test_void_votes_are_kept_and_do_not_count(database):
    cast_vote(database, ballot(text="Fin", whole=False), "right")
    cast_vote(database, ballot("gpt-5", "b", text="As ChatGPT, I agree."), "left")

    assert votes_by_pair(database) == {}
    assert Boards(database).board().votes == 0
    assert find_vote(database, ballot()).void == "an answer was not finished"


@pytest.mark.parametrize(
    ("model_id", "text", "given_away"),
    [
        ("gpt-5-mini", "I was made by OpenAI.", True),
        ("gpt-5-mini", "Anthropic and Google compete.", False),
        ("claude-haiku", "I'm Claude!", True),
        ("claude-haiku", "Claudette went home.", False),
        ("llama-3", "I am Meta\nAI.", True),
        ("gemini-flash", "GOOGLE's own", True),
        ("local-smollm2", "SmolLM2 here", True),
        ("grok-4", "xAI made me", True),
        ("mini", "a mini cooper", True),
        ("a", "a b c", False),
    ],
)
def test_an_answer_that_names_its_maker(model_id, text, given_away):
    assert names_its_maker(text, model(model_id, label=model_id, upstream=model_id)) is given_away


def test_a_whole_answer_that_names_nobody_counts():
    assert why_void(ballot()) is None


def test_boards_are_worked_out_anew_only_after_a_vote(database):
    boards = Boards(database)
    for number in range(12):
        cast_vote(database, ballot(number=number, use_case="coding"), "left", clock=lambda: NOW)

    first = boards.board("coding")
    assert [one.model_id for one in first.ratings] == ["a", "b"]
    assert boards.board("coding") is first
    cast_vote(database, ballot(number=99), "right")
    assert boards.board("coding") is not first
    assert (boards.board().votes, boards.board("coding").votes, boards.board("other").votes) == (13, 12, 0)
    assert boards.use_cases() == {"coding": 12, None: 1}
    assert boards.board(style=True).style.keys() == {"length", "lists", "headers"}
    assert [(one.model_id, one.votes) for one in boards.head_to_head()] == [("a", 13), ("b", 13)]


def test_the_history_begins_where_there_is_something_to_show(database):
    for number in range(10):
        cast_vote(database, ballot(number=number), "left", clock=lambda: NOW - timedelta(days=5))

    history = Boards(database).history(now=NOW, over=timedelta(days=24))
    assert [point.until for point in history] == [NOW - timedelta(days=4), NOW - timedelta(days=2), NOW]


@given(st.randoms(use_true_random=False), st.integers(0, 50))
def test_a_pair_is_two_different_models(rng, votes):
    left, right = choose_pair(["a", "b", "c"], {("a", "b"): votes}, rng=rng)

    assert left != right
    assert {left, right} < {"a", "b", "c"}


def test_what_is_least_known_is_asked_most():
    rng = random.Random(7)
    chosen = Counter(choose_pair(["a", "b", "c"], {("a", "b"): 8}, rng=rng) for _ in range(4000))

    assert chosen["a", "b"] + chosen["b", "a"] == pytest.approx(4000 / 19, rel=0.2)
    assert chosen["a", "c"] == pytest.approx(chosen["c", "a"], rel=0.2)


def test_what_is_left_out_is_never_chosen():
    rng = random.Random(7)
    left_out = {("a", "b"), ("a", "c")}
    chosen = {choose_pair(["a", "b", "c"], {("b", "c"): 500}, rng=rng, without=left_out) for _ in range(100)}
    assert chosen == {("b", "c"), ("c", "b")}
    assert choose_pair(["a", "b"], {}, rng=rng, without=left_out) is None


def test_one_model_is_no_pair():
    assert choose_pair(["a", "a"], {}, rng=random.Random(1)) is None
