"""Points found in answers, and the prompt that merges them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.arena.merging import WAYS, Said, instruction, merge_prompt
from core.arena.points import MOST_POINTS, points_of

FIRST = """Here is what to do.

- **Back up** the database first.
- Stop the web server before the upgrade.

```
- not a point but code
```
"""
SECOND = """1. First, back up the database.
2. Read the release notes of the new version.

# A heading is no point
"""


def test_items_and_first_sentences_are_points_and_alike_ones_are_one():
    found = points_of([FIRST, SECOND])

    assert [(point.text, list(point.answers)) for point in found] == [
        ("Back up the database first.", [0, 1]),
        ("Stop the web server before the upgrade.", [0]),
        ("Read the release notes of the new version.", [1]),
    ]


def test_an_answer_without_lists_makes_a_point_with_every_sentence_and_a_long_one_with_every_paragraph():
    short = "Light is scattered by the air. Short waves are scattered most.\n\nHere is why: Does it help you?"
    assert [point.text for point in points_of([short])] == [
        "Light is scattered by the air.",
        "Short waves are scattered most.",
    ]
    long = "\n\n".join(f"Paragraph {number} begins. It goes on with detail {number}." for number in range(9))
    assert all(point.text.endswith("begins.") for point in points_of([long]))


def test_a_link_and_emphasis_are_read_as_their_words():
    assert [point.text for point in points_of(["- See [the *long* manual](http://x.example) for details"])] == [
        "See the long manual for details"
    ]


@given(st.lists(st.text(max_size=400), max_size=4))
def test_any_text_has_points_that_are_short_and_few(answers):
    found = points_of(answers)

    assert len(found) <= MOST_POINTS
    assert all(0 < len(point.text) <= 240 and point.answers for point in found)
    assert all(place < len(answers) for point in found for place in point.answers)


def test_the_prompt_holds_the_instruction_the_question_and_every_answer():
    wanted = instruction("checklist", points=["Back up first."])
    prompt = merge_prompt(wanted, question="How?", answers=[Said("Swift", "So."), Said("Steady", "Thus.")])

    assert prompt.startswith(wanted)
    assert "- Back up first." in prompt
    for expected in ("=== question ===\nHow?", "=== answer 1 by Swift ===\nSo.", "=== answer 2 by Steady ===\nThus."):
        assert expected in prompt


def test_every_way_has_an_instruction_of_its_own():
    assert len({instruction(way) for way in WAYS}) == len(WAYS)
