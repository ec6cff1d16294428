"""Search: only one's own, whatever the case and accents, narrowed by model, tag, title and time, never out of date."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

import pytest

from core.chat import search
from core.chat.organise import archive, restore_conversations, set_tags
from core.chat.search import find_conversations, find_messages, index_changed, index_regularly
from core.chat.search_query import parse_query
from core.chat.store import delete_conversation, insert_message, rename_conversation
from tests.support.conversations import NOW, make_conversation, make_message
from tests.support.turns import wait_until


def _found(database, text, *, user_id="ann", **options):
    hits = find_messages(database, user_id=user_id, query=parse_query(text, zone=UTC), **options)
    return [hit.content for hit in hits]


def _titles(database, text, *, user_id="ann", **options):
    found = find_conversations(database, user_id=user_id, query=parse_query(text, zone=UTC), **options)
    return [conversation.title for conversation in found]


@pytest.fixture(name="plan")
def _plan(database):
    return make_conversation(
        database, "ann", "A plan for Zürich", "Take the  train\nat noon", "And <b>back</b>?", "50% off", model="haiku"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zurich", ["A plan for Zürich"]),
        ("ZÜRICH plan", ["A plan for Zürich"]),
        ("plan train", []),
        ('"the train at"', ["Take the  train\nat noon"]),
        ('"train the"', []),
        ("<b>back", ["And <b>back</b>?"]),
        ("%", ["50% off"]),
        ("_", []),
        ("' or 1=1 --", []),
    ],
)
def test_what_is_found(database, plan, text, found):
    assert _found(database, text) == found


def test_nobody_elses_message_is_ever_found(database, plan):
    make_conversation(database, "bob", "A secret plan", "The plan is secret")

    assert _found(database, "plan") == ["A plan for Zürich"]
    assert _found(database, "secret") == []
    assert _found(database, "secret", user_id="bob") == ["The plan is secret", "A secret plan"]
    assert _titles(database, "plan", user_id="bob") == ["A secret plan"]
    assert _titles(database, "model:haiku", user_id="bob") == []


def test_a_message_is_found_as_soon_as_it_is_stored(database, plan):
    assert _found(database, "later") == []

    late = make_message(plan, "Something later", now=NOW + timedelta(days=1))
    database.transaction(lambda cur: insert_message(cur, late))

    assert _found(database, "later") == ["Something later"]
    assert _found(database, "train") == ["Take the  train\nat noon"]


def test_a_message_is_listed_once_however_often_the_conversation_changes(database, plan):
    for hour in range(1, 4):
        _found(database, "train")
        message = make_message(plan, f"train {hour}", now=NOW + timedelta(hours=hour))
        database.transaction(lambda cur, message=message: insert_message(cur, message))

    (hit, *rest) = find_messages(database, user_id="ann", query=parse_query("train", zone=UTC))

    assert [hit.content, *[other.content for other in rest]] == ["train 3", "train 2", "train 1"]
    assert hit.hits_in_conversation == 4


def test_deleted_conversations_and_messages_are_not_found_until_they_are_back(database, plan):
    delete_conversation(database, conversation_id=plan, user_id="ann")
    assert _found(database, "train") == _titles(database, "plan") == []

    restore_conversations(database, conversation_ids=[plan], user_id="ann")
    assert _found(database, "train") == ["Take the  train\nat noon"]

    database.execute("update messages set deleted_at = $now where content like 'Take%'", now=NOW)
    assert _found(database, "train") == []


def test_a_model_finds_its_answers_and_their_questions(database, plan):
    make_conversation(database, "ann", "Which train?", "The night train", model="opus")

    assert _found(database, "train model:opus") == ["The night train", "Which train?"]
    assert _found(database, "train model:HAIKU") == ["Take the  train\nat noon"]
    assert _titles(database, "model:opus") == ["Which train?"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("which model:opus", ["Which train 5?"]),
        ("train model:opus", ["The night train 5", "Which train 5?"]),
        ("train tag:travel", ["The night train 2", "Which train 2?"]),
        ("night model:haiku tag:travel", ["The night train 2"]),
        ("train title:5?", ["The night train 5", "Which train 5?"]),
        ("night model:haiku", [f"The night train {number}" for number in (4, 3, 2, 1, 0)]),
        ("night model:gone", []),
        ("night tag:gone", []),
        ("night model:opus tag:travel", []),
    ],
)
def test_among_many_conversations_what_narrows_it_leaves_few_or_most_of_them(database, text, found):
    for number in range(6):
        model = "opus" if number == 5 else "haiku"
        hour = timedelta(hours=number)
        made = make_conversation(
            database, "ann", f"Which train {number}?", f"The night train {number}", model=model, now=NOW + hour
        )
        if number == 2:
            set_tags(database, conversation_id=made, user_id="ann", tags=("travel",))
    make_conversation(database, "bob", "Which train?", "The night train", model="opus")

    assert _found(database, text) == found


def test_a_conversation_is_of_a_model_as_long_as_an_answer_of_it_is_there(database, plan):
    make_conversation(database, "ann", "Which train?", "The night train", model="opus")
    make_conversation(database, "bob", "Which bus?", "The night bus", model="opus")
    assert _titles(database, "model:OP") == ["Which train?"]

    database.execute("update messages set deleted_at = $now where content = 'The night train'", now=NOW)

    assert _titles(database, "model:OP") == []


def test_a_model_without_a_name_of_its_own_is_found_by_what_it_has(database, plan):
    """A call that failed has a label and nobody who served it."""
    made = make_conversation(database, "ann", "Which train?", "The night train", model="Brünn")
    database.execute("update messages set served_model = null where conversation_id = $made", made=made)

    assert _found(database, "train model:brunn") == ["The night train", "Which train?"]


def test_tags_titles_and_times_narrow_it_down(database, plan):
    set_tags(database, conversation_id=plan, user_id="ann", tags=("work", "travel"))
    make_conversation(database, "ann", "Another train", now=NOW + timedelta(days=40))

    assert _found(database, "train tag:travel") == ["Take the  train\nat noon"]
    assert _found(database, "train tag:trav") == []
    assert _found(database, "train title:another") == ["Another train"]
    assert _found(database, "train before:2026-12") == ["Take the  train\nat noon"]
    assert _found(database, "train after:2026-11-23 before:2026-11-24") == ["Take the  train\nat noon"]
    assert _found(database, "train after:2026-12") == ["Another train"]
    assert _titles(database, "tag:work") == ["A plan for Zürich"]
    assert _titles(database, "after:2026-12") == ["Another train"]


def test_an_empty_search_lists_conversations_and_no_messages(database, plan):
    other = make_conversation(database, "ann", "Another", now=NOW + timedelta(hours=1))
    archive(database, conversation_ids=[other], user_id="ann", archived=True)

    assert _found(database, "") == []
    assert _titles(database, "") == ["Another", "A plan for Zürich"]
    assert _titles(database, "", archived=True) == ["Another"]
    assert _titles(database, "", archived=False) == ["A plan for Zürich"]
    assert _titles(database, "", limit=1) == ["Another"]


def test_an_archived_conversation_is_found_and_says_so(database, plan):
    archive(database, conversation_ids=[plan], user_id="ann", archived=True)

    (hit,) = find_messages(database, user_id="ann", query=parse_query("train", zone=UTC))

    assert hit.archived


def test_the_title_found_is_the_one_of_now(database, plan):
    rename_conversation(database, conversation_id=plan, user_id="ann", title="Holidays")

    assert _titles(database, "holidays") == ["Holidays"]
    assert _titles(database, "zurich") == []


def test_three_hits_of_a_conversation_are_listed_and_all_counted(database):
    make_conversation(database, "ann", *[f"word {number}" for number in range(10)])
    make_conversation(database, "ann", "word elsewhere", now=NOW - timedelta(days=1))

    hits = find_messages(database, user_id="ann", query=parse_query("word", zone=UTC))

    assert [hit.content for hit in hits] == ["word 9", "word 8", "word 7", "word elsewhere"]
    assert [hit.hits_in_conversation for hit in hits] == [10, 10, 10, 1]


async def test_the_background_takes_in_everybodys_conversations(database, plan):
    make_conversation(database, "bob", "Hello")

    background = asyncio.create_task(index_regularly(database, every_s=3600))
    taken_in = await asyncio.to_thread(wait_until, lambda: len(database.fetch_all("select * from search_texts")) == 5)
    background.cancel()

    assert taken_in
    assert index_changed(database, user_id="ann") == index_changed(database, user_id="bob") == 0


def test_a_search_does_not_wait_for_the_background(database, plan):
    with search._indexing:
        assert _found(database, "train") == []

    assert _found(database, "train") == ["Take the  train\nat noon"]


def test_two_that_take_in_at_once_bring_every_message_once(database, plan):
    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(index_changed, database, user_id="ann")

    assert len(database.fetch_all("select * from search_texts")) == 4
