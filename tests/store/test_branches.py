"""Branches: editing makes siblings, stepping remembers where one was, deleting is undone, the ledger stays."""

from __future__ import annotations

import pytest

from core.chat.branches import delete_branch, restore_branch, show_branch
from core.chat.conversation import branch, by_id
from core.chat.store import load_conversation
from core.errors import NotFound, TurnRefused
from core.providers.events import TextDelta
from core.providers.gateway import ChatMessage
from core.providers.scripted import Gate, answer
from tests.support.turns import finish, rig


@pytest.fixture(name="chat")
def _chat(database):
    with rig(database) as made:
        yield made


def say(chat, text, reply, **fields):
    """Have something answered; the turn's ids."""
    chat.gateway.enqueue("gpt", *answer(reply))
    live = chat.ask(text, **fields)
    finish(live)
    return live.ids


def shown(chat, conversation_id):
    """What is on show, as texts."""
    conversation = load_conversation(chat.database, conversation_id=conversation_id, user_id="ann")
    path = branch(by_id(chat.messages(conversation_id)), leaf_id=conversation.leaf_message_id)
    return [message.content for message in path]


def test_an_edited_question_stands_beside_the_old_one_and_its_history_ends_before_it(chat):
    first = say(chat, "One", "1")
    second = say(chat, "Two", "2", conversation_id=first.conversation)

    edited = say(chat, "Zwei", "II", conversation_id=first.conversation, edits=second.question)

    assert shown(chat, first.conversation) == ["One", "1", "Zwei", "II"]
    assert chat.gateway.history[-1].messages == [
        ChatMessage("user", "One"),
        ChatMessage("assistant", "1"),
        ChatMessage("user", "Zwei"),
    ]
    stored = by_id(chat.messages(first.conversation))
    assert stored[edited.question].parent_id == stored[second.question].parent_id == first.answer


def test_the_first_question_can_be_edited_too(chat):
    first = say(chat, "One", "1")

    say(chat, "Eins", "I", conversation_id=first.conversation, edits=first.question)

    assert shown(chat, first.conversation) == ["Eins", "I"]
    assert len(chat.messages(first.conversation)) == 4


@pytest.mark.parametrize("which", ["answer", "turn"])
def test_only_a_question_on_the_branch_can_be_edited(chat, which):
    first = say(chat, "One", "1")

    with pytest.raises(TurnRefused, match="no longer here"):
        chat.ask("Zwei", conversation_id=first.conversation, edits=getattr(first, which))

    assert shown(chat, first.conversation) == ["One", "1"]


def test_stepping_shows_a_branch_as_it_was_left(chat):
    first = say(chat, "One", "1")
    there = first.conversation
    say(chat, "Two", "2", conversation_id=there)
    again = say(chat, "", "uno", conversation_id=there, answer_again=first.question)
    old = say(chat, "Due", "due", conversation_id=there)
    say(chat, "", "due again", conversation_id=there, answer_again=old.question)
    show_branch(chat.database, conversation_id=there, user_id="ann", message_id=old.answer)

    show_branch(chat.database, conversation_id=there, user_id="ann", message_id=first.answer)
    assert shown(chat, there) == ["One", "1", "Two", "2"]
    show_branch(chat.database, conversation_id=there, user_id="ann", message_id=again.answer)

    assert shown(chat, there) == ["One", "uno", "Due", "due"]


def test_a_deleted_message_takes_its_branch_along_and_its_sibling_is_shown(chat):
    first = say(chat, "One", "1")
    there = first.conversation
    again = say(chat, "", "uno", conversation_id=there, answer_again=first.question)
    say(chat, "Two", "2", conversation_id=there)

    gone = delete_branch(chat.database, conversation_id=there, user_id="ann", message_id=again.answer)

    assert gone == 3
    assert shown(chat, there) == ["One", "1"]
    assert [message.content for message in chat.messages(there)] == ["One", "1"]
    assert len(chat.rows("attempts")) == 3
    say(chat, "Go on", "Yes", conversation_id=there)
    assert shown(chat, there) == ["One", "1", "Go on", "Yes"]


def test_without_a_sibling_what_stood_above_is_shown(chat):
    first = say(chat, "One", "1")
    second = say(chat, "Two", "2", conversation_id=first.conversation)
    delete = {"conversation_id": first.conversation, "user_id": "ann"}

    delete_branch(chat.database, **delete, message_id=second.question)
    assert shown(chat, first.conversation) == ["One", "1"]
    delete_branch(chat.database, **delete, message_id=first.question)

    assert shown(chat, first.conversation) == []
    say(chat, "Anew", "Yes", conversation_id=first.conversation)
    assert shown(chat, first.conversation) == ["Anew", "Yes"]


def test_a_message_off_the_branch_is_deleted_without_changing_what_is_shown(chat):
    first = say(chat, "One", "1")
    second = say(chat, "Two", "2", conversation_id=first.conversation)
    say(chat, "", "uno", conversation_id=first.conversation, answer_again=first.question)

    delete_branch(chat.database, conversation_id=first.conversation, user_id="ann", message_id=second.question)

    assert shown(chat, first.conversation) == ["One", "uno"]


def test_undo_brings_back_what_went_with_the_message_and_nothing_else(chat):
    first = say(chat, "One", "1")
    there = {"conversation_id": first.conversation, "user_id": "ann"}
    second = say(chat, "Two", "2", conversation_id=first.conversation)
    third = say(chat, "Three", "3", conversation_id=first.conversation)
    delete_branch(chat.database, **there, message_id=third.question)
    delete_branch(chat.database, **there, message_id=second.question)

    restore_branch(chat.database, **there, message_id=second.question)
    assert shown(chat, first.conversation) == ["One", "1", "Two", "2"]
    restore_branch(chat.database, **there, message_id=third.question)

    assert shown(chat, first.conversation) == ["One", "1", "Two", "2", "Three", "3"]


@pytest.mark.parametrize("change", [show_branch, delete_branch, restore_branch])
def test_somebody_elses_messages_do_not_exist(chat, change):
    first = say(chat, "One", "1")

    with pytest.raises(NotFound):
        change(chat.database, conversation_id=first.conversation, user_id="bob", message_id=first.question)

    assert shown(chat, first.conversation) == ["One", "1"]


@pytest.mark.parametrize("change", [show_branch, delete_branch])
def test_a_message_that_is_gone_is_not_found(chat, change):
    first = say(chat, "One", "1")
    other = say(chat, "Other", "o")

    with pytest.raises(NotFound, match="no longer here"):
        change(chat.database, conversation_id=first.conversation, user_id="ann", message_id=other.question)


@pytest.mark.parametrize("change", [show_branch, delete_branch])
def test_nothing_moves_while_an_answer_is_written(chat, change):
    first = say(chat, "One", "1")
    gate = Gate()
    chat.gateway.enqueue("gpt", TextDelta("2"), gate, *answer(" done"))
    live = chat.ask("Two", conversation_id=first.conversation)
    assert gate.wait_until_reached()

    with pytest.raises(TurnRefused, match="still being written"):
        change(chat.database, conversation_id=first.conversation, user_id="ann", message_id=first.question)

    gate.open()
    finish(live)
    assert shown(chat, first.conversation) == ["One", "1", "Two", "2 done"]
