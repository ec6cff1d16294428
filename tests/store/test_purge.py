"""What was deleted can be brought back for thirty days; then nothing of it is left but figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.chat.attachments import keep_file
from core.chat.branches import delete_branch
from core.chat.feedback import Rating, rate
from core.chat.kept_parameters import keep_for_conversation
from core.chat.organise import delete_conversations, list_deleted, restore_conversations
from core.chat.purge import KEPT_DAYS, Purged, purge
from core.chat.search import index_changed
from core.chat.sharing import load_share, share_conversation
from core.clock import utc_now
from core.providers.scripted import answer
from core.store.files import FileStore
from core.store.maintenance import row_counts
from tests.support.people import add_person
from tests.support.turns import finish, rig

LATER = utc_now() + timedelta(days=KEPT_DAYS, hours=1)
NOTHING = Purged(conversations=0, messages=0, files=0)


@pytest.fixture(name="files")
def _files(tmp_path):
    return FileStore(tmp_path / "attachments")


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada")


@pytest.fixture(name="made")
def _made(database, files, ada):
    with rig(database, files=files) as made:
        yield replace(made, user_id=ada.id)


def talk(made, user, text="A secret question", **options):
    """A question and its answer, with all that can hang on them; the ids of the turn."""
    made.gateway.enqueue("gpt", *answer("A secret answer"))
    live = made.ask(text, user_id=user.id, **options)
    finish(live)
    return live.ids


def furnish(database, ids, user):
    rate(database, message_id=ids.answer, user_id=user.id, rating=Rating(rating=-1, reason="A secret reason"))
    keep_for_conversation(database, user_id=user.id, conversation_id=ids.conversation, values={"system": "secret"})
    share = share_conversation(database, user_id=user.id, conversation_id=ids.conversation, with_files=True)
    index_changed(database, user_id=user.id)
    return share


def everything(database):
    """Every row of every table, but for the ledger's and the audit's."""
    kept = {"attempts", "audit"}
    names = [name for name in row_counts(database) if name not in kept]
    return str([database.fetch_all(f'select * from "{name}"') for name in names])  # noqa: S608


def test_nothing_of_a_deleted_conversation_is_left_after_its_time(database, files, made, ada):
    note = keep_file(files, name="note.md", data=b"remember the milk")
    ids = talk(made, ada, attachments=[note])
    furnish(database, ids, ada)
    delete_conversations(database, conversation_ids=[ids.conversation], user_id=ada.id)

    purged = purge(database, files, clock=lambda: LATER)

    assert (purged.conversations, purged.messages) == (1, 0)
    assert purged.files > 0
    assert not files.holds(note.content_hash)
    left = everything(database)
    assert "ecret" not in left
    assert ids.conversation not in left
    assert len(database.fetch_all("select * from attempts")) == 1


def test_until_then_it_is_listed_and_comes_back_whole(database, files, made, ada):
    note = keep_file(files, name="note.md", data=b"remember the milk")
    ids = talk(made, ada, attachments=[note])
    furnish(database, ids, ada)
    before = everything(database)
    delete_conversations(database, conversation_ids=[ids.conversation], user_id=ada.id)

    assert purge(database, files, clock=lambda: LATER - timedelta(hours=2)) == NOTHING
    assert [found.id for found in list_deleted(database, user_id=ada.id, limit=9)] == [ids.conversation]
    restore_conversations(database, conversation_ids=[ids.conversation], user_id=ada.id)

    assert everything(database) == before
    assert files.holds(note.content_hash)
    assert list_deleted(database, user_id=ada.id, limit=9) == []


def test_a_deleted_message_goes_and_the_rest_of_the_conversation_stays(database, files, made, ada):
    note = keep_file(files, name="note.md", data=b"remember the milk")
    first = talk(made, ada, "An open question")
    second = talk(made, ada, "What is hidden?", conversation_id=first.conversation, attachments=[note])
    index_changed(database, user_id=ada.id)
    rate(database, message_id=second.answer, user_id=ada.id, rating=Rating(rating=1))
    [_, _, question, _] = made.messages(first.conversation)
    delete_branch(database, conversation_id=first.conversation, user_id=ada.id, message_id=question.id)

    purged = purge(database, files, clock=lambda: LATER)

    assert (purged.conversations, purged.messages) == (0, 2)
    assert not files.holds(note.content_hash)
    assert [message.content for message in made.messages(first.conversation)] == ["An open question", "A secret answer"]
    left = everything(database)
    assert "What is hidden?" not in left
    assert "what is hidden?" not in left
    assert second.answer not in left
    assert second.turn not in left


def test_a_file_that_a_link_shows_outlives_its_message(database, files, made, ada):
    note = keep_file(files, name="note.md", data=b"remember the milk")
    first = talk(made, ada)
    talk(made, ada, conversation_id=first.conversation, attachments=[note])
    share = furnish(database, first, ada)
    [_, _, question, _] = made.messages(first.conversation)
    delete_branch(database, conversation_id=first.conversation, user_id=ada.id, message_id=question.id)

    purge(database, files, clock=lambda: LATER)

    shown = load_share(database, share_id=share, viewer_id=ada.id)
    assert shown.messages[2].attachments[0].content_hash == note.content_hash
    assert files.holds(note.content_hash)


def test_a_file_that_somebody_else_sent_too_stays(database, files, made, ada):
    note = keep_file(files, name="note.md", data=b"remember the milk")
    ids = talk(made, ada, attachments=[note])
    talk(made, add_person(database, "bob"), attachments=[note])
    delete_conversations(database, conversation_ids=[ids.conversation], user_id=ada.id)

    purge(database, files, clock=lambda: LATER)

    assert files.holds(note.content_hash)


def test_more_than_one_round_is_taken_at_a_time(database, files, made, ada, monkeypatch):
    monkeypatch.setattr("core.chat.purge._AT_ONCE", 1)
    gone = [talk(made, ada).conversation for _ in range(3)]
    delete_conversations(database, conversation_ids=gone, user_id=ada.id)

    assert purge(database, files, clock=lambda: LATER).conversations == 3
    assert purge(database, files, clock=lambda: LATER) == NOTHING
