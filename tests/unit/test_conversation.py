"""A conversation is a tree of messages, of which one branch is on show."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.conversation import Message, branch, by_id, title_from

NOW = datetime(2026, 11, 23)  # noqa: DTZ001 - naive UTC is the store's own form


def message(message_id, parent_id=None, role="user", content="text"):
    return Message(
        id=message_id,
        conversation_id="c",
        parent_id=parent_id,
        turn_id="t",
        role=role,
        content=content,
        status="complete",
        created_at=NOW,
    )


def tree(**parents):
    return by_id([message(message_id, parent_id) for message_id, parent_id in parents.items()])


@pytest.mark.parametrize(
    ("messages", "leaf", "path"),
    [
        (tree(a=None, b="a", c="b"), "c", "abc"),
        (tree(a=None, b="a", c="b"), "b", "ab"),
        (tree(a=None, b="a", c="a", d="c"), "d", "acd"),
        (tree(a=None, b="a"), None, ""),
        (tree(a=None, b="a"), "gone", ""),
        (tree(b="gone", c="b"), "c", "bc"),
        (tree(a="c", b="a", c="b"), "c", "abc"),
        (tree(a="a"), "a", "a"),
        ({}, "a", ""),
    ],
    ids=[
        "a line",
        "the middle of a line",
        "one of two branches",
        "no leaf",
        "a leaf that is gone",
        "a parent that is gone",
        "a cycle",
        "its own parent",
        "no messages",
    ],
)
def test_the_branch_is_what_can_be_read_up_to_the_leaf(messages, leaf, path):
    assert "".join(found.id for found in branch(messages, leaf_id=leaf)) == path


@st.composite
def random_trees(draw):
    """Parents by child, where any message may hang on any earlier one, in a shuffled order."""
    size = draw(st.integers(1, 40))
    parents = {str(n): str(draw(st.integers(0, n - 1))) if n and draw(st.booleans()) else None for n in range(size)}
    order = draw(st.permutations(sorted(parents)))
    return {child: parents[child] for child in order}


@given(parents=random_trees(), data=st.data())
def test_on_any_tree_the_branch_runs_from_a_root_to_the_leaf_along_the_parents(parents, data):
    leaf = data.draw(st.sampled_from(sorted(parents)))

    path = branch(tree(**parents), leaf_id=leaf)

    assert path[0].parent_id is None
    assert path[-1].id == leaf
    assert [child.parent_id for child in path[1:]] == [parent.id for parent in path[:-1]]


@given(
    parents=st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.sampled_from("abcdefgh")),
    leaf=st.sampled_from("abcdefgh"),
)
def test_on_any_damaged_data_the_walk_ends_and_repeats_nothing(parents, leaf):
    path = [found.id for found in branch(tree(**parents), leaf_id=leaf)]

    assert len(path) == len(set(path))
    assert path[-1:] == ([leaf] if leaf in parents else [])


@pytest.mark.parametrize(
    ("text", "limit", "title"),
    [
        ("What is it?", 60, "What is it?"),
        ("  two\n lines\t", 60, "two lines"),
        ("", 60, "New chat"),
        (" \n", 60, "New chat"),
        ("one two three four", 10, "one two…"),
        ("x" * 70, 60, "x" * 59 + "…"),
        ("x" * 60, 60, "x" * 60),
    ],
)
def test_a_title_is_one_line_of_the_first_words(text, limit, title):
    assert title_from(text, limit=limit) == title


@given(text=st.text(max_size=300), limit=st.integers(1, 80))
def test_a_title_is_never_empty_longer_than_its_limit_or_more_than_a_line(text, limit):
    title = title_from(text, limit=limit)

    assert title
    assert len(title) <= max(limit, len("New chat"))
    assert len(title.splitlines()) == 1
