"""The tree of messages: who stands beside whom, what lies below, where a branch ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.conversation import Message, branch, by_id
from core.chat.tree import Place, below, children_of, leaf_under, newest_leaf, place_of

NOW = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - naive UTC is the store's own form


def message(name, parent=None, role="user", age=0):
    """A message called `name`; `age` orders siblings."""
    return Message(
        id=name,
        conversation_id="c",
        parent_id=parent,
        turn_id="t",
        role=role,
        content=name,
        status="complete",
        created_at=NOW + timedelta(seconds=age),
    )


@pytest.fixture(name="messages")
def _messages():
    """Two questions at the root; the first has two answers, the second of which is followed by q2."""
    return by_id(
        [
            message("q1"),
            message("a1", "q1", "assistant", 1),
            message("a2", "q1", "assistant", 2),
            message("q2", "a2", "user", 3),
            message("edited", None, "user", 4),
            message("a3", "edited", "assistant", 5),
        ]
    )


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("q1", Place(number=1, count=2, previous=None, next="edited")),
        ("edited", Place(number=2, count=2, previous="q1", next=None)),
        ("a2", Place(number=2, count=2, previous="a1", next=None)),
        ("a3", Place(number=1, count=1, previous=None, next=None)),
    ],
)
def test_a_message_stands_among_its_siblings_in_the_order_they_were_made(messages, name, place):
    assert place_of(children_of(messages), messages[name]) == place


def test_a_message_that_was_just_made_is_the_last_of_its_siblings(messages):
    new = message("a4", "q1", "assistant", 9)

    assert place_of(children_of(messages), new) == Place(number=3, count=3, previous="a2", next=None)


def test_a_part_of_an_answer_is_no_sibling_of_the_question_that_follows_it():
    messages = by_id([message("a", None, "assistant"), message("part", "a", "assistant", 1), message("q", "a", age=2)])

    assert place_of(children_of(messages), messages["q"]).count == 1


def test_below_is_the_message_and_all_under_it(messages):
    assert set(below(children_of(messages), "q1")) == {"q1", "a1", "a2", "q2"}
    assert below(children_of(messages), "a3") == ["a3"]


def test_a_branch_ends_where_it_was_left_else_at_its_newest_message(messages):
    children = children_of(messages)

    assert newest_leaf(children, "q1") == "q2"
    assert leaf_under(children, "q1", left_at="a1") == "a1"
    assert leaf_under(children, "q1", left_at="a2") == "q2"  # something was added since
    assert leaf_under(children, "q1", left_at="a3") == "q2"
    assert leaf_under(children, "edited", left_at=None) == "a3"


@given(st.lists(st.integers(min_value=-1, max_value=12), max_size=12))
def test_any_parents_even_cycles_can_be_walked(parents):
    messages = by_id(
        [message(str(number), None if parent < 0 else str(parent)) for number, parent in enumerate(parents)]
    )
    children = children_of(messages)

    for found in messages.values():
        leaf = newest_leaf(children, found.id)
        assert leaf in messages
        assert found.id in below(children, found.id)
        assert leaf in below(children, found.id)
        assert 1 <= place_of(children, found).number <= place_of(children, found).count
        assert branch(messages, leaf_id=leaf)
