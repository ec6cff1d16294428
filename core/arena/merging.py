"""The prompt that makes one answer of several. Pure: the person reads and changes it before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Way = Literal["fuse", "checklist", "table"]

WAYS: dict[Way, str] = {
    "fuse": "One answer",
    "checklist": "Points I tick",
    "table": "Table by criteria",
}
CRITERIA = ("correctness", "completeness", "clarity", "risks")

_INSTRUCTIONS: dict[Way, str] = {
    "fuse": (
        "Write one answer to the question from the answers below. Keep what is right and useful in each, settle what "
        "they disagree on and say how, leave out what is wrong or said twice. Do not mention that there were several "
        "answers."
    ),
    "checklist": (
        "Write one answer to the question from the answers below. It must make every one of these points, and no "
        "other point of weight:"
    ),
    "table": (
        "Compare the answers below in one Markdown table: a row for every criterion, a column for every answer, each "
        "cell a short judgement. Under the table, say in one sentence which answer to take for what. The criteria:"
    ),
}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer and who gave it."""

    label: str
    text: str


def instruction(way: Way, *, points: Sequence[str] = ()) -> str:
    """What to do with the answers; `points` are those ticked, or the criteria of a table."""
    return "\n".join([_INSTRUCTIONS[way], *(f"- {point}" for point in points)])


def merge_prompt(wanted: str, *, question: str, answers: Sequence[Said]) -> str:
    """The whole message: the instruction, the question, every answer between marks that name it."""
    parts = [wanted.strip(), _between("question", question)]
    parts += [_between(f"answer {place} by {said.label}", said.text) for place, said in enumerate(answers, start=1)]
    return "\n\n".join(parts)


def _between(name: str, text: str) -> str:
    return f"=== {name} ===\n{text.strip()}\n=== end of {name} ==="
