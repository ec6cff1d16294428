"""The order of models from the team's evidence: what decides it, and when there is too little to decide anything."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arena.advice import DIALS, Known, advise, place
from core.arena.evidence import Answers, Evidence
from core.arena.ratings import Board, Rating
from core.arena.weak_evidence import WeakEvidence
from ui.advice import evidence_sentence, missing_sentence

GOOD = Answers(worked=40, failed=0, first_token_ms=500, timed=40, cost_usd=Decimal("0.002"), priced=40)


def rating(name: str, points: float, votes: int = 40) -> Rating:
    return Rating(model_id=name, rating=points, low=points - 50, high=points + 50, votes=votes, rank=1)


def board(**points: float) -> Board:
    return Board(votes=40, ratings=[rating(name, value) for name, value in points.items()], too_few={})


def signs(name: str, up: int, down: int) -> WeakEvidence:
    return WeakEvidence(model_id=name, thumbs_up=up, thumbs_down=down, continued=0, asked_instead=0, replaced=0)


def order(evidence: Evidence, dial="balanced", names=("a", "b", "c")) -> list[str]:
    return list(advise(names, evidence, use_case="coding", dial=dial).order)


def test_votes_of_the_use_case_decide_and_what_nobody_rated_comes_last():
    evidence = Evidence(boards={None: board(a=1200, b=900), "coding": board(a=900, c=1100)})

    advice = advise(("a", "b", "c"), evidence, use_case="coding", dial="quality")

    assert list(advice.order) == ["c", "a", "b"]
    assert (list(advice.judged), advice.quality_from, advice.missing) == (["c", "a"], "coding", ())


def test_where_the_use_case_has_too_few_all_votes_count():
    evidence = Evidence(boards={None: board(a=900, b=1200), "coding": board(a=1300)})

    advice = advise(("a", "b"), evidence, use_case="coding", dial="quality")

    assert (list(advice.order), advice.quality_from) == (["b", "a"], None)


def test_weak_signs_stand_in_for_votes_ten_for_one_and_are_never_mixed_with_them():
    weak = {"coding": {"a": signs("a", 50, 50), "b": signs("b", 90, 10), "c": signs("c", 99, 0)}}

    advice = advise(("a", "b", "c"), Evidence(signs=weak), use_case="coding", dial="quality")
    voted = advise(
        ("a", "b", "c"), Evidence(signs=weak, boards={None: board(a=2, b=1)}), use_case="coding", dial="quality"
    )

    assert list(advice.order) == ["b", "a", "c"], "99 signs are fewer than ten votes"
    assert evidence_sentence(advice.judged["b"], advice, "quality") == (
        "Best by the team's own judgement: too few votes, but 90 % of 100 weaker signs for coding speak for it "
        "(each counts as a tenth of a vote)."
    )
    assert list(voted.order) == ["a", "b", "c"]
    assert voted.judged["a"].signs is None


@pytest.mark.parametrize(
    ("dial", "evidence", "missing"),
    [
        ("quality", Evidence(), ["quality"]),
        ("quality", Evidence(boards={None: board(a=1)}), ["quality"]),
        ("speed", Evidence(answers={None: {"a": GOOD, "b": replace(GOOD, timed=19)}}), ["speed"]),
        ("price", Evidence(answers={None: {"a": GOOD, "b": replace(GOOD, priced=19)}}), ["price"]),
        ("price", Evidence(answers={None: {"a": GOOD, "b": replace(GOOD, cost_usd=None, priced=0)}}), ["price"]),
        ("balanced", Evidence(answers={None: {"a": GOOD, "b": GOOD}}), ["quality"]),
        ("balanced", Evidence(boards={None: board(a=2, b=1)}), ["speed", "price"]),
    ],
)
def test_thin_evidence_changes_no_order_and_says_what_is_missing(dial, evidence, missing):
    advice = advise(("b", "a"), evidence, use_case="coding", dial=dial)

    assert (list(advice.order), advice.judged, list(advice.missing)) == (["b", "a"], {}, missing)
    assert missing_sentence(advice).startswith("Too little of the team's own evidence")


def test_a_model_that_fails_often_comes_after_those_that_work():
    failing = replace(GOOD, failed=10, first_token_ms=100)
    evidence = Evidence(answers={None: {"a": failing, "b": GOOD}})

    assert order(evidence, "speed") == ["b", "a", "c"]


def test_the_sentence_has_every_number_and_where_it_is_from():
    evidence = Evidence(boards={"coding": board(a=1100, b=1000)}, answers={None: {"a": GOOD, "b": GOOD}})
    advice = advise(("a", "b"), evidence, use_case="coding", dial="balanced")

    assert evidence_sentence(advice.judged["a"], advice, "balanced") == (
        "Best balance of quality, speed and price: rated 1100 (1050 to 1150) from 40 votes for coding, "
        "100 % of 40 calls worked, 0.5 s to first token (40 measured), $0.002 per answer (40 priced) in 30 days over "
        "all use cases."
    )
    assert missing_sentence(advice) == ""


models = st.builds(
    lambda quality, ms, usd, failed: Known(
        model_id="m",
        quality=quality,
        answers=Answers(worked=200, failed=failed, first_token_ms=ms, timed=200, cost_usd=usd, priced=200),
    ),
    st.floats(500, 1500),
    st.floats(1, 60_000),
    st.decimals(0, 5, places=9),
    st.integers(0, 50),
)


def _no_worse(one: Known, other: Known) -> bool:
    return (
        (one.quality or 0) >= (other.quality or 0)
        and (one.first_token_ms or 0) <= (other.first_token_ms or 0)
        and (one.cost_usd or 0) <= (other.cost_usd or 0)
        and one.answers.failed <= other.answers.failed
    )


@given(models, models, st.sampled_from(DIALS))
def test_no_worse_in_anything_is_never_ranked_lower(one, other, dial):
    better = replace(
        one,
        quality=max(one.quality, other.quality),
        answers=replace(
            one.answers,
            first_token_ms=min(one.first_token_ms, other.first_token_ms),
            cost_usd=min(one.cost_usd, other.cost_usd),
            failed=min(one.answers.failed, other.answers.failed),
        ),
    )

    assert _no_worse(better, other)
    assert place(better, dial) <= place(other, dial)


@given(st.lists(models, min_size=2, max_size=6))
def test_the_ends_of_the_dial_order_by_one_measure_alone(known):
    healthy = {f"m{number}": replace(one.answers, failed=0) for number, one in enumerate(known)}
    evidence = Evidence(
        boards={None: board(**{f"m{number}": one.quality for number, one in enumerate(known)})},
        answers={None: healthy},
    )
    names = list(healthy)
    qualities = {f"m{number}": one.quality for number, one in enumerate(known)}

    by_quality, by_speed, by_price = (order(evidence, dial, names) for dial in ("quality", "speed", "price"))

    assert [qualities[name] for name in by_quality] == sorted(qualities.values(), reverse=True)
    waits = [healthy[name].first_token_ms for name in by_speed]
    assert waits == sorted(waits)
    costs = [healthy[name].cost_usd for name in by_price]
    assert costs == sorted(costs)


@given(st.lists(models, max_size=6), st.sampled_from(DIALS), st.integers(0, 6))
def test_nobody_is_lost_whatever_is_known(known, dial, rated):
    names = [f"m{number}" for number in range(len(known))]
    evidence = Evidence(
        boards={None: board(**{name: one.quality for name, one in list(zip(names, known, strict=True))[:rated]})},
        answers={None: {name: one.answers for name, one in zip(names, known, strict=True)}},
    )

    assert sorted(order(evidence, dial, names)) == names
