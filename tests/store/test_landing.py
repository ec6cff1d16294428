"""Showing a message that was found: on its branch, whatever the branch on show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.chat.landing import show_message
from core.chat.store import insert_message, load_conversation
from core.errors import NotFound
from tests.support.conversations import chain, make_conversation, make_message


@pytest.fixture(name="forked")
def _forked(database):
    """A conversation of two branches under its first answer: (id, the four of the old one, the two of the new one)."""
    conversation_id = make_conversation(database, "ann", "one", "two", "three", "four")
    old = [row["id"] for row in database.fetch_all("select id from messages order by created_at, id")]
    new = chain(conversation_id, ("drei", "vier"), parent_id=old[1])
    database.transaction(lambda cur: [insert_message(cur, message) for message in new])
    return conversation_id, old, [message.id for message in new]


def _show(database, conversation_id, message_id, user_id="ann"):
    return show_message(database, conversation_id=conversation_id, user_id=user_id, message_id=message_id)


def _leaf(database, conversation_id):
    return load_conversation(database, conversation_id=conversation_id, user_id="ann").leaf_message_id


def test_a_message_of_another_branch_brings_that_branch_on_show(database, forked):
    conversation_id, old, _ = forked

    landing = _show(database, conversation_id, old[2])

    assert (landing.message_id, landing.from_end) == (old[2], 2)
    assert _leaf(database, conversation_id) == old[3]


def test_the_branch_on_show_stays_where_it_holds_the_message(database, forked):
    conversation_id, old, new = forked

    landing = _show(database, conversation_id, old[0])

    assert landing.from_end == 4
    assert _leaf(database, conversation_id) == new[1]


def test_a_part_of_a_continued_answer_is_shown_where_the_answer_begins(database):
    conversation_id = make_conversation(database, "ann", "Tell me")
    question = _leaf(database, conversation_id)
    begun = replace(make_message(conversation_id, "It was", parent_id=question, model="gpt"), status="stopped")
    rest = make_message(conversation_id, " a dark night", parent_id=begun.id, model="gpt")
    database.transaction(lambda cur: [insert_message(cur, message) for message in (begun, rest)])

    landing = _show(database, conversation_id, rest.id)

    assert (landing.message_id, landing.from_end) == (begun.id, 1)


@pytest.mark.parametrize("user_id", ["bob", "ann"])
def test_what_is_gone_or_not_yours_is_not_found(database, forked, user_id):
    conversation_id, old, _ = forked

    with pytest.raises(NotFound):
        _show(database, conversation_id, old[0] if user_id == "bob" else "nothing", user_id=user_id)
