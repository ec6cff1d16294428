"""What is read from the store once and kept until something is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.accounts.preferences import load_preferences, load_team_defaults, save_preference, save_team_default
from core.chat.conversation import Message
from core.chat.store import (
    delete_conversation,
    insert_message,
    list_conversations,
    load_conversation,
    load_messages,
    load_opened,
    load_to_continue,
    rename_conversation,
)
from core.clock import utc_now
from core.errors import NotFound
from core.store.database import Cursor
from core.store.kept import KeptReads
from tests.support.attempts import add_attempt
from tests.support.conversations import make_conversation
from tests.support.people import add_person


def test_a_read_is_made_once_until_something_is_written(database) -> None:
    kept: KeptReads[int] = KeptReads(most=10)
    reads = iter(range(10))

    assert [kept.read(database, "a", lambda: next(reads)) for _ in range(3)] == [0, 0, 0]
    assert kept.read(database, "b", lambda: next(reads)) == 1
    assert (kept.find(database, "a"), kept.find(database, "c")) == (0, None)
    database.execute("delete from turns where id = 'nobody'")
    assert kept.find(database, "a") is None
    assert kept.read(database, "a", lambda: next(reads)) == 2


def test_a_read_of_some_tables_is_kept_until_one_of_them_is_written_to(database) -> None:
    kept: KeptReads[int] = KeptReads(most=10, tables=("users", "api_tokens"))
    reads = iter(range(10))

    def look() -> int:
        return kept.read(database, "a", lambda: next(reads))

    before = look()
    database.execute("delete from turns where id = 'nobody'")
    # On a shared store others write to them too: there nothing is kept.
    assert look() - before == (1 if database.is_shared else 0)
    before = look()
    database.transaction(lambda cur: cur.execute("update users set role = role where id = 'nobody'"))
    assert look() == before + 1
    with database.cursor() as cur:
        cur.execute("update api_tokens set name = name where id = 'nobody'")
    assert look() == before + 2


def test_what_was_read_while_something_was_written_is_not_kept(database) -> None:
    kept: KeptReads[str] = KeptReads(most=10)

    def read() -> str:
        database.execute("delete from turns where id = 'nobody'")
        return "old"

    assert kept.read(database, "a", read) == "old"
    assert kept.read(database, "a", lambda: "new") == "new"


def test_a_failed_read_is_made_again_and_no_more_is_kept_than_was_said(database) -> None:
    kept: KeptReads[int] = KeptReads(most=2)
    with pytest.raises(ZeroDivisionError):
        kept.read(database, 0, lambda: 1 // 0)
    for number in range(5):
        kept.read(database, number, lambda number=number: number)

    assert [number for number in range(5) if kept.find(database, number) is not None] == [4]


def test_what_a_person_changes_is_there_at_the_next_look(database) -> None:
    user = add_person(database, "ann")
    assert (load_preferences(database, user.id), load_team_defaults(database)) == ({}, {})
    save_preference(database, user_id=user.id, name="use_case", value="coding")
    save_team_default(database, name="use_case", value="everyday", actor_id=None)
    assert (load_preferences(database, user.id), load_team_defaults(database)) == (
        {"use_case": "coding"},
        {"use_case": "everyday"},
    )


def test_an_opened_conversation_follows_every_change_and_is_nobody_elses(database) -> None:
    conversation_id = make_conversation(database, "ann", "Hello", "Hi there")

    def opened():
        conversation, messages = load_opened(database, conversation_id=conversation_id, user_id="ann")
        (listed,) = list_conversations(database, user_id="ann", limit=9)
        assert listed == conversation
        return conversation.title, [message.content for message in messages]

    assert opened() == opened() == ("Hello", ["Hello", "Hi there"])
    rename_conversation(database, conversation_id=conversation_id, user_id="ann", title="Greetings")
    assert opened() == ("Greetings", ["Hello", "Hi there"])
    with pytest.raises(NotFound):
        load_opened(database, conversation_id=conversation_id, user_id="bob")
    delete_conversation(database, conversation_id=conversation_id, user_id="ann")
    with pytest.raises(NotFound):
        load_opened(database, conversation_id=conversation_id, user_id="ann")


def _message(conversation_id: str, text: str) -> Message:
    return Message(
        id=text,
        conversation_id=conversation_id,
        parent_id=None,
        turn_id="turn",
        role="user",
        content=text,
        status="complete",
        created_at=utc_now(),
    )


def _add(database, conversation_id: str, text: str) -> None:
    database.transaction(lambda cur: insert_message(cur, _message(conversation_id, text)))


def test_a_message_goes_behind_what_is_stored_and_not_behind_what_a_page_has_read(database) -> None:
    conversation_id = make_conversation(database, "ann", "Hello", "Hi there")
    conversation = load_conversation(database, conversation_id=conversation_id, user_id="ann")

    for text in ("one", "two"):
        load_opened(database, conversation_id=conversation_id, user_id="ann")
        stored = load_messages(database, conversation=conversation, figures=False)
        assert load_to_continue(database, conversation=conversation) == stored
        _add(database, conversation_id, text)

    assert [one.content for one in load_to_continue(database, conversation=conversation)][-2:] == ["one", "two"]


def test_messages_are_never_older_than_their_conversation(database) -> None:
    conversation_id = make_conversation(database, "ann", "Hello", "Hi there")
    load_opened(database, conversation_id=conversation_id, user_id="ann")
    rename_conversation(database, conversation_id=conversation_id, user_id="ann", title="Greetings")
    # A turn ends in another thread: it can be read, and that thread has not yet let go what was kept.
    answer = {"role": "assistant", "content": "Later", "status": "complete"}
    with database._engine.lease() as raw:
        cur = Cursor(raw, shared=database.is_shared)
        insert_message(cur, replace(_message(conversation_id, "late"), **answer))
        cur.execute("update conversations set leaf_message_id = 'late' where id = $id", id=conversation_id)

    conversation, messages = load_opened(database, conversation_id=conversation_id, user_id="ann")
    assert [message.content for message in messages] == ["Hello", "Hi there", "Later"]
    assert [message.id for message in load_to_continue(database, conversation=conversation)][-1] == "late"


def test_the_figures_of_an_opened_conversation_follow_the_ledger(database) -> None:
    conversation_id = make_conversation(database, "ann", "Hello", "Hi there")

    def figures():
        _, (_, answer) = load_opened(database, conversation_id=conversation_id, user_id="ann")
        return answer.turn_id, answer.figures

    turn_id, before = figures()
    add_attempt(database, ended_at=utc_now(), conversation_id=conversation_id, turn_id=turn_id, tokens=7)

    assert before is None
    assert figures()[1].output_tokens == 7


def test_of_a_shared_store_what_may_lag_is_kept_until_anything_is_written(database) -> None:
    kept: KeptReads[int] = KeptReads(most=10, tables=("users",), may_lag=True)
    reads = iter(range(10))

    assert [kept.read(database, "a", lambda: next(reads)) for _ in range(2)] == [0, 0]
    database.execute("delete from turns where id = 'nobody'")
    assert kept.read(database, "a", lambda: next(reads)) == (1 if database.is_shared else 0)
    database.execute("update users set role = role where id = 'nobody'")
    assert kept.read(database, "a", lambda: next(reads)) == (2 if database.is_shared else 1)
