"""What the frontier says of itself: its measure, what is missing for quality, and who is beaten by whom."""

from __future__ import annotations

from decimal import Decimal

from core.costs.frontier import Frontier, Standing, frontier
from ui.costs_frontier import measure_words, standing_words

LABELS = {"a": "Ann's", "b": "Big", "c": "Cheap"}


def found(**qualities: float | None) -> Frontier:
    return frontier(
        [
            Standing(
                model_id=name,
                answers=20,
                unpriced=0,
                cost_per_answer_usd=Decimal(place),
                first_token_ms=None,
                duration_ms=1000.0 * place,
                quality=quality,
            )
            for place, (name, quality) in enumerate(qualities.items(), start=1)
        ]
    )


def test_without_votes_on_two_models_time_counts_and_the_missing_are_named():
    thin = found(a=1100.0, b=None)

    assert measure_words(thin, LABELS, "coding") == (
        "By time, not quality: that takes 10 blind votes for coding on each of two models. Missing for 1 of 2: Big."
    )
    assert standing_words(thin, LABELS) == (
        "Cost per answer against median seconds. Not beaten: Ann's. Beaten on both: Big by Ann's."
    )


def test_with_votes_on_every_model_quality_counts():
    rated = found(a=900.0, b=1100.0)

    assert measure_words(rated, LABELS, None) == "Quality is the rating from the team's blind votes, of all time."
    assert standing_words(rated, LABELS) == "Cost per answer against rating. Not beaten: Ann's, Big."


def test_a_model_without_votes_is_named_and_has_no_place_among_those_with_them():
    rated = found(c=None, a=1100.0, b=900.0)

    assert [one.model_id for one in rated.placed] == ["a", "b"]
    assert measure_words(rated, LABELS, None).endswith("Without 10 of them, and so without a place: Cheap.")
    assert standing_words(rated, LABELS) == (
        "Cost per answer against rating. Not beaten: Ann's. Beaten on both: Big by Ann's."
    )
