"""Prompts read from JSON lines and paragraphs: nothing raises but a file that is too large, nothing is lost unnamed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arena.prompt_files import (
    LIMIT_BYTES,
    MOST_PROMPTS,
    MOST_TURNS,
    TURN_CHARACTERS,
    Prompt,
    read_jsonl,
    read_paragraphs,
)
from core.errors import ImportRefused

WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
PROMPTS = st.lists(
    st.builds(Prompt, WORDS, st.lists(WORDS, min_size=1, max_size=MOST_TURNS).map(tuple)), min_size=0, max_size=20
)


def line_of(prompt: Prompt) -> bytes:
    return json.dumps({"question_id": 1, "category": prompt.category, "turns": list(prompt.turns)}).encode()


@given(PROMPTS)
def test_what_was_written_is_read(prompts):
    read = read_jsonl(b"\n".join(map(line_of, prompts)))
    assert list(read.prompts) == prompts
    assert not read.problems


@given(st.binary(max_size=400), PROMPTS)
def test_whatever_one_line_holds_the_others_are_read(line, prompts):
    junk = line.replace(b"\n", b" ")
    read = read_jsonl(b"\r\n".join([*map(line_of, prompts), junk]))
    assert list(read.prompts)[: len(prompts)] == prompts
    assert len(read.prompts) + len(read.problems) - len(prompts) <= 1
    assert all(problem.startswith(f"Line {len(prompts) + 1}: ") for problem in read.problems)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "it is not JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[1]", "it is not a JSON object"),
        (b'{"turns": []}', '"turns" must be a list of texts'),
        (b'{"turns": [1]}', '"turns" must be a list of texts'),
        (b'{"category": "x"}', '"turns" must be a list of texts'),
        (b'{"turns": ["a", " "]}', "a turn is empty"),
        (json.dumps({"turns": ["a"] * (MOST_TURNS + 1)}).encode(), "it has 11 turns; the most is 10"),
        (json.dumps({"turns": ["a" * (TURN_CHARACTERS + 1)]}).encode(), "20,001 characters; the most is 20,000"),
    ],
)
def test_a_bad_line_is_named_with_its_number(line, problem):
    read = read_jsonl(b'\n{"prompt": "Why?"}\n' + line + b'\n{"turns": ["How?"], "category": " a  b "}\n')
    assert read.prompts == [Prompt("general", ("Why?",)), Prompt("a b", ("How?",))]
    assert len(read.problems) == 1
    assert read.problems[0].startswith("Line 3: ")
    assert problem in read.problems[0]


def test_limits_are_said():
    with pytest.raises(ImportRefused, match="the most is 5,000,000"):
        read_jsonl(b" " * (LIMIT_BYTES + 1))
    read = read_jsonl(b'{"prompt": "Why?"}\n' * (MOST_PROMPTS + 3))
    assert len(read.prompts) == MOST_PROMPTS
    assert read.problems == ["A set holds 500 prompts; the last 3 were left out."]


def test_paragraphs_are_prompts():
    read = read_paragraphs("First line\nsecond line\n\n\nOther\r\n\r\n ", category="coding")
    assert read.prompts == [Prompt("coding", ("First line\nsecond line",)), Prompt("coding", ("Other",))]
