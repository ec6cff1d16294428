"""What is held about a person can be taken away and deleted; what it cost stays."""

from __future__ import annotations

import base64
import json

import pytest

from core.accounts.audit import list_audit
from core.accounts.preferences import load_preferences, save_preference
from core.catalog.models import CacheRule
from core.chat.attachments import keep_file
from core.chat.branches import show_branch
from core.chat.feedback import Rating, rate
from core.chat.kept_parameters import keep_for_conversation
from core.chat.own_data import delete_data, export_data
from core.chat.presets import list_presets, save_preset
from core.chat.store import list_conversations
from core.errors import SwitchboardError
from core.providers.scripted import answer
from core.store.files import FileStore
from tests.support.people import add_person
from tests.support.turns import finish, model, rig

TEXT_TABLES = (
    "conversations",
    "messages",
    "turns",
    "presets",
    "preferences",
    "conversation_parameters",
    "answer_cache",
    "feedback",
)


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada")


def furnish(database, user):
    """A conversation with an answer, its parameters, a preset and a preference."""
    with rig(database, model(cache=CacheRule(minutes=60))) as made:
        made.gateway.enqueue("gpt", *answer("A secret answer"))
        live = made.ask("A secret question", user_id=user.id)
        finish(live)
    keep_for_conversation(database, user_id=user.id, conversation_id=live.ids.conversation, values={"seed": 1})
    save_preset(database, owner_id=user.id, name="Mine", model_id="gpt", parameters={"stop": ("a",)}, shared=True)
    save_preference(database, user_id=user.id, name="default_model", value="gpt")
    rate(database, message_id=live.ids.answer, user_id=user.id, rating=Rating(rating=-1, reason="A secret reason"))
    show_branch(database, conversation_id=live.ids.conversation, user_id=user.id, message_id=live.ids.answer)


def counted(database):
    return {table: len(database.fetch_all(f"select * from {table}")) for table in (*TEXT_TABLES, "attempts")}  # noqa: S608


def test_the_export_holds_everything_and_nobody_elses(database, ada):
    furnish(database, ada)
    furnish(database, add_person(database, "bob"))

    exported = json.loads(export_data(database, ada))

    assert exported["profile"]["username"] == "ada"
    assert "password" not in str(exported)
    assert exported["preferences"] == {"default_model": "gpt"}
    assert exported["presets"] == [{"name": "Mine", "model_id": "gpt", "parameters": {"stop": ["a"]}, "shared": True}]
    (conversation,) = exported["conversations"]
    assert conversation["parameters"] == {"seed": 1}
    assert [message["role"] for message in conversation["messages"]] == ["user", "assistant"]
    assert conversation["messages"][0]["content"] == "A secret question"
    (thumb,) = exported["feedback"]
    assert (thumb["model_id"], thumb["rating"], thumb["reason"]) == ("gpt", -1, "A secret reason")
    (attempt,) = exported["ledger"]
    assert attempt["conversation_id"] == conversation["id"]
    assert attempt["requested_model"] == "gpt"
    assert attempt["started_at"].endswith("Z")


def test_attached_files_are_exported_and_deleted(database, ada, tmp_path):
    files = FileStore(tmp_path / "attachments")
    note = keep_file(files, name="note.md", data=b"remember the milk")
    with rig(database, files=files) as made:
        made.gateway.enqueue("gpt", *answer("Noted"))
        finish(made.ask("Keep this", user_id=ada.id, attachments=[note]))

    (exported,) = json.loads(export_data(database, ada, files=files))["attachments"]
    delete_data(database, ada, files=files)

    assert exported["name"] == "note.md"
    assert base64.b64decode(exported["content_base64"]) == b"remember the milk"
    assert not files.holds(note.content_hash)


def test_an_export_of_nothing_is_complete(database, ada):
    exported = json.loads(export_data(database, ada))

    assert exported["conversations"] == exported["presets"] == exported["ledger"] == []


def test_deleting_leaves_the_ledger_the_account_and_other_people(database, ada):
    bob = add_person(database, "bob")
    furnish(database, bob)
    of_bob = counted(database)
    furnish(database, ada)

    delete_data(database, ada)

    assert counted(database) == {**of_bob, "attempts": of_bob["attempts"] + 1}
    assert list_conversations(database, user_id=ada.id, limit=9) == []
    assert load_preferences(database, ada.id) == {}
    assert [preset.own for preset in list_presets(database, user_id=ada.id)] == [False]
    assert "secret" not in str(database.fetch_all("select * from attempts where user_id = $id", id=ada.id))
    (entry,) = (entry for entry in list_audit(database) if entry.action == "data.delete")
    assert (entry.actor_id, entry.subject, entry.before) == (ada.id, "ada", {"conversations": 1, "presets": 1})


def test_nothing_is_deleted_while_an_answer_is_written(database, ada):
    furnish(database, ada)
    before = counted(database)
    database.execute("update turns set status = 'running'")

    with pytest.raises(SwitchboardError, match="still being written"):
        delete_data(database, ada)

    assert counted(database) == before
