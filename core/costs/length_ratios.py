"""How many tokens one model needs for a text that is so many for another, measured from the ledger.

Best evidence is one question answered by both (asked again, or compared side by side). Where that is thin, the spread
of the two models' answers as a whole stands in; where even that is thin, the same length is assumed, and said to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from core.store.reader import Reader
from core.store.sql import load_queries

# Long enough for rare pairs; models and what they are asked change over a year.
MEASURED_OVER = timedelta(days=180)
# A quartile of fewer says little.
ENOUGH_PAIRS = 10
ENOUGH_ANSWERS = 20

Evidence = Literal["same model", "same questions", "all answers", "assumed"]

_SQL = load_queries("replay")


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthRatio:
    """Tokens of the other model per token of the one that answered.

    `output_low`, `output_middle` and `output_high` are the quartiles for answers, `input` is the median for what is
    read. `samples` counts pairs, or the answers of the model with fewer.
    """

    output_low: float
    output_middle: float
    output_high: float
    input: float = 1.0
    evidence: Evidence
    samples: int = 0


SAME_MODEL = LengthRatio(output_low=1, output_middle=1, output_high=1, evidence="same model")
ASSUMED = LengthRatio(output_low=1, output_middle=1, output_high=1, evidence="assumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lengths:
    answers: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class LengthRatios:
    """What has been measured between all models. Made by `measure_ratios`."""

    pairs: Mapping[tuple[str, str], LengthRatio]
    lengths: Mapping[str, _Lengths]

    def between(self, answered: str, other: str) -> LengthRatio:
        """The ratio for text that `answered` wrote, on the model `other`."""
        if answered == other:
            return SAME_MODEL
        paired = self.pairs.get((answered, other))
        if paired is not None and paired.samples >= ENOUGH_PAIRS:
            return paired
        unpaired = _of_all_answers(self.lengths.get(answered), self.lengths.get(other))
        return unpaired or ASSUMED


def measure_ratios(ledger: Reader, database: Reader, *, now: datetime) -> LengthRatios:
    """The ratios of the last 180 days, with calls from `ledger` and questions from the store. `now` is naive UTC."""
    since = now - MEASURED_OVER
    again = database.fetch_all(_SQL["asked_again"], since=since)
    asked = {"turns": [row["turn_id"] for row in again], "questions": [row["question"] for row in again]}
    pairs = ledger.fetch_all(_SQL["same_question_ratios"], since=since, **asked) if again else []
    lengths = ledger.fetch_all(_SQL["output_lengths"], since=since)
    return LengthRatios(
        pairs={(row["from_model"], row["to_model"]): _paired(row) for row in pairs},
        lengths={row.pop("model_id"): _Lengths(**row) for row in lengths},
    )


def _paired(row: Mapping[str, Any]) -> LengthRatio:
    return LengthRatio(
        output_low=row["output_low"],
        output_middle=row["output_middle"],
        output_high=row["output_high"],
        input=row["input_middle"],
        evidence="same questions",
        samples=row["pairs"],
    )


def _of_all_answers(answered: _Lengths | None, other: _Lengths | None) -> LengthRatio | None:
    if answered is None or other is None or min(answered.answers, other.answers) < ENOUGH_ANSWERS:
        return None
    low, middle, high = other.low / answered.low, other.middle / answered.middle, other.high / answered.high
    return LengthRatio(
        output_low=min(low, middle, high),
        output_middle=middle,
        output_high=max(low, middle, high),
        evidence="all answers",
        samples=min(answered.answers, other.answers),
    )
