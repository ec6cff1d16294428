"""Pinned, tagged, archived, deleted together and brought back; only one's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.chat.organise import (
    add_tags,
    all_tags,
    archive,
    delete_conversations,
    parse_tags,
    pin,
    restore_conversations,
    set_tags,
)
from core.chat.store import list_conversations, load_conversation
from core.errors import NotFound, SwitchboardError
from tests.support.conversations import NOW, make_conversation


def _titles(database, user_id="ann"):
    return [conversation.title for conversation in list_conversations(database, user_id=user_id, limit=50)]


@pytest.fixture(name="three")
def _three(database):
    return [
        make_conversation(database, "ann", title, now=NOW + timedelta(hours=hour))
        for hour, title in enumerate(("Oldest", "Middle", "Newest"))
    ]


def test_pinned_ones_come_first_and_go_back_to_their_place(database, three):
    pin(database, conversation_ids=three[:1], user_id="ann", pinned=True)
    assert _titles(database) == ["Oldest", "Newest", "Middle"]

    pin(database, conversation_ids=three[:1], user_id="ann", pinned=False)
    assert _titles(database) == ["Newest", "Middle", "Oldest"]


def test_an_archived_one_is_out_of_the_list_and_opens_still(database, three):
    archive(database, conversation_ids=three[1:], user_id="ann", archived=True)
    assert _titles(database) == ["Oldest"]
    assert load_conversation(database, conversation_id=three[1], user_id="ann").archived_at is not None

    archive(database, conversation_ids=three[1:], user_id="ann", archived=False)
    assert _titles(database) == ["Newest", "Middle", "Oldest"]


def test_several_are_deleted_together_and_brought_back_together(database, three):
    delete_conversations(database, conversation_ids=three[:2], user_id="ann")
    assert _titles(database) == ["Newest"]
    with pytest.raises(NotFound):
        load_conversation(database, conversation_id=three[0], user_id="ann")

    restore_conversations(database, conversation_ids=three[:2], user_id="ann")
    assert _titles(database) == ["Newest", "Middle", "Oldest"]


def test_nobody_else_can_touch_them(database, three):
    for work in (
        lambda: pin(database, conversation_ids=three, user_id="bob", pinned=True),
        lambda: archive(database, conversation_ids=three, user_id="bob", archived=True),
        lambda: delete_conversations(database, conversation_ids=three, user_id="bob"),
        lambda: set_tags(database, conversation_id=three[0], user_id="bob", tags=("x",)),
        lambda: add_tags(database, conversation_ids=three, user_id="bob", tags=("x",)),
    ):
        work()

    assert _titles(database) == ["Newest", "Middle", "Oldest"]
    assert all_tags(database, user_id="ann") == all_tags(database, user_id="bob") == []

    delete_conversations(database, conversation_ids=three, user_id="ann")
    restore_conversations(database, conversation_ids=three, user_id="bob")
    assert _titles(database) == []


def test_tags_are_replaced_added_and_counted(database, three):
    set_tags(database, conversation_id=three[0], user_id="ann", tags=("work", "q3"))
    add_tags(database, conversation_ids=three[:2], user_id="ann", tags=("q3", "later"))

    assert load_conversation(database, conversation_id=three[0], user_id="ann").tags == "work q3 later"
    assert all_tags(database, user_id="ann") == ["later", "q3", "work"]

    set_tags(database, conversation_id=three[0], user_id="ann", tags=())
    assert load_conversation(database, conversation_id=three[0], user_id="ann").tags == ""


def test_where_one_conversation_has_too_many_tags_none_gets_more(database, three):
    set_tags(database, conversation_id=three[1], user_id="ann", tags=tuple(f"t{number}" for number in range(10)))

    with pytest.raises(SwitchboardError, match="10 tags"):
        add_tags(database, conversation_ids=three, user_id="ann", tags=("one-more",))

    assert load_conversation(database, conversation_id=three[0], user_id="ann").tags == ""


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("", ()),
        (" , ,", ()),
        ("Work", ("work",)),
        ("work, WORK ,Quarter  three", ("work", "quarter-three")),
        ("#urgent", ("urgent",)),
        ("Ärger\n", ("ärger",)),
    ],
)
def test_tags_as_typed(typed, tags):
    assert parse_tags(typed) == tags


@pytest.mark.parametrize("typed", ["x" * 31, ",".join(f"t{number}" for number in range(11))])
def test_too_long_or_too_many_tags_are_refused(typed):
    with pytest.raises(SwitchboardError):
        parse_tags(typed)
