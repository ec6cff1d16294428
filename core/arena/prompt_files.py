"""Prompts read from text: JSON lines such as MT-Bench's, or paragraphs. Pure.

One bad line never costs the others: it is named with its number and left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from core.chat.plain_text import clean_text
from core.errors import ImportRefused

LIMIT_BYTES = 5_000_000
MOST_PROMPTS = 500
MOST_TURNS = 10
TURN_CHARACTERS = 20_000
CATEGORY_CHARACTERS = 60
NO_CATEGORY = "general"


@dataclass(frozen=True, slots=True)
class Prompt:
    """Messages that are asked one after the other in one conversation, and what kind of question it is."""

    category: str
    turns: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReadPrompts:
    """The prompts of a text, and a sentence for everything in it that is none."""

    prompts: Sequence[Prompt]
    problems: Sequence[str]


def read_jsonl(data: bytes) -> ReadPrompts:
    """Read lines like {"category": "writing", "turns": ["First message", "Second message"]}.

    A line may hold one "prompt" in place of "turns"; the category may be left out; other fields are ignored. Raises
    ImportRefused for more than 5 MB; what goes beyond 500 prompts is left out and said.
    """
    if len(data) > LIMIT_BYTES:
        raise ImportRefused(
            f"The file has {len(data):,} bytes; the most is {LIMIT_BYTES:,}.", next_step="Import it in parts."
        )
    prompts: list[Prompt] = []
    problems: list[str] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            prompt = _prompt(_decoded(line))
        except ValueError as error:
            problems.append(f"Line {number}: {error}.")
            continue
        prompts.append(prompt)
    return _within_limit(prompts, problems)


def read_paragraphs(text: str, *, category: str = "") -> ReadPrompts:
    """Read one prompt from every paragraph; an empty line ends one."""
    blocks = [block for block in clean_text(text).split("\n\n") if block.strip()]
    return read_texts(blocks, category=category)


def read_texts(texts: Sequence[str], *, category: str = "") -> ReadPrompts:
    """Read one prompt of one turn from every text."""
    prompts: list[Prompt] = []
    problems: list[str] = []
    for number, text in enumerate(texts, start=1):
        try:
            prompts.append(_prompt({"turns": [text], "category": category}))
        except ValueError as error:
            problems.append(f"Prompt {number}: {error}.")
    return _within_limit(prompts, problems)


def _within_limit(prompts: list[Prompt], problems: list[str]) -> ReadPrompts:
    if (over := len(prompts) - MOST_PROMPTS) > 0:
        problems.append(f"A set holds {MOST_PROMPTS} prompts; the last {over} were left out.")
    return ReadPrompts(prompts[:MOST_PROMPTS], problems)


def _decoded(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None


def _prompt(value: object) -> Prompt:
    """Raises ValueError with the end of a sentence that says what is wrong."""
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the file's value, caught as one
    turns = value.get("turns", [value["prompt"]] if "prompt" in value else None)
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        raise ValueError('"turns" must be a list of texts')
    if len(turns) > MOST_TURNS:
        raise ValueError(f"it has {len(turns)} turns; the most is {MOST_TURNS}")
    cleaned = tuple(clean_text(turn).strip() for turn in turns)
    if not all(cleaned):
        raise ValueError("a turn is empty")
    if (longest := max(map(len, cleaned))) > TURN_CHARACTERS:
        raise ValueError(f"a turn has {longest:,} characters; the most is {TURN_CHARACTERS:,}")
    return Prompt(_category(value.get("category")), cleaned)


def _category(given: object) -> str:
    named = " ".join(clean_text(given).split()) if isinstance(given, str) else ""
    return named[:CATEGORY_CHARACTERS].strip() or NO_CATEGORY
