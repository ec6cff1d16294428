"""A link shows a conversation as it was, to people who are signed in, until its owner revokes it."""

from __future__ import annotations

import pytest

from core.accounts.audit import list_audit
from core.chat.attachment_rows import to_json
from core.chat.attachments import keep_file
from core.chat.organise import restore_conversations
from core.chat.own_data import delete_data, export_data
from core.chat.sharing import copy_share, count_files, list_shares, load_share, revoke_share, share_conversation
from core.chat.store import (
    delete_conversation,
    list_conversations,
    load_conversation,
    load_messages,
    rename_conversation,
)
from core.errors import NotFound, SwitchboardError
from core.providers.scripted import answer
from core.store.files import FileStore
from tests.support.people import add_person
from tests.support.turns import finish, rig


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada")


@pytest.fixture(name="bob")
def _bob(database):
    return add_person(database, "bob")


def talk(database, user, text, reply, conversation_id=None):
    with rig(database) as made:
        made.gateway.enqueue("gpt", *answer(reply))
        live = made.ask(text, user_id=user.id, conversation_id=conversation_id, system_prompt="A secret prompt")
        finish(live)
    return live.ids.conversation


def shown(database, share_id, viewer):
    return [one.content for one in load_share(database, share_id=share_id, viewer_id=viewer.id).messages]


def test_a_link_shows_the_conversation_as_it_was(database, ada, bob):
    conversation = talk(database, ada, "First?", "First.")
    link = share_conversation(database, user_id=ada.id, conversation_id=conversation)
    talk(database, ada, "Second?", "Second.", conversation)
    rename_conversation(database, conversation_id=conversation, user_id=ada.id, title="Another title")

    found = load_share(database, share_id=link, viewer_id=bob.id)

    assert (found.title, found.owner_name, found.own) == ("First?", "Ada", False)
    assert [one.content for one in found.messages] == ["First?", "First."]
    assert found.messages[1].model_label == "GPT"
    assert load_share(database, share_id=link, viewer_id=ada.id).own
    assert "secret" not in str(database.fetch_all("select * from shares"))


def test_a_revoked_link_is_not_found_and_its_text_is_gone(database, ada, bob):
    link = share_conversation(database, user_id=ada.id, conversation_id=talk(database, ada, "A?", "Visible"))
    with pytest.raises(NotFound):
        revoke_share(database, user_id=bob.id, share_id=link)
    assert shown(database, link, bob) == ["A?", "Visible"]

    revoke_share(database, user_id=ada.id, share_id=link)

    with pytest.raises(NotFound, match="not found"):
        load_share(database, share_id=link, viewer_id=ada.id)
    with pytest.raises(NotFound):
        revoke_share(database, user_id=ada.id, share_id=link)
    assert list_shares(database, user_id=ada.id) == []
    assert "Visible" not in str(database.fetch_all("select * from shares"))


def test_deleting_the_conversation_hides_its_links_until_that_is_undone(database, ada, bob):
    conversation = talk(database, ada, "A?", "B.")
    link = share_conversation(database, user_id=ada.id, conversation_id=conversation)
    delete_conversation(database, conversation_id=conversation, user_id=ada.id)
    with pytest.raises(NotFound):
        load_share(database, share_id=link, viewer_id=bob.id)
    assert list_shares(database, user_id=ada.id) == []

    restore_conversations(database, conversation_ids=[conversation], user_id=ada.id)

    assert shown(database, link, bob) == ["A?", "B."]
    assert [share.id for share in list_shares(database, user_id=ada.id)] == [link]


def test_only_ones_own_conversation_can_be_shared(database, ada, bob):
    conversation = talk(database, ada, "A?", "B.")
    with pytest.raises(NotFound):
        share_conversation(database, user_id=bob.id, conversation_id=conversation)
    database.execute("delete from messages")
    with pytest.raises(SwitchboardError, match="nothing to share"):
        share_conversation(database, user_id=ada.id, conversation_id=conversation)


@pytest.mark.parametrize("guess", ["", "x", "../..", "%"])
def test_a_link_that_never_existed_looks_like_a_revoked_one(database, ada, guess):
    with pytest.raises(NotFound, match="not found"):
        load_share(database, share_id=guess, viewer_id=ada.id)


def test_sharing_and_revoking_are_audited_without_the_link(database, ada):
    conversation = talk(database, ada, "A?", "B.")
    link = share_conversation(database, user_id=ada.id, conversation_id=conversation)
    revoke_share(database, user_id=ada.id, share_id=link)

    entries = [entry for entry in list_audit(database) if entry.action.startswith("share.")]

    assert [(entry.action, entry.subject) for entry in entries] == [
        ("share.revoke", conversation),
        ("share.create", conversation),
    ]
    assert link not in str(entries)
    assert len(link) >= 43


def test_a_copy_is_ones_own_and_comes_once(database, ada, bob):
    link = share_conversation(database, user_id=ada.id, conversation_id=talk(database, ada, "A?", "B."))

    first = copy_share(database, share_id=link, viewer_id=bob.id)
    again = copy_share(database, share_id=link, viewer_id=bob.id)

    (copy,) = list_conversations(database, user_id=bob.id, limit=9)
    assert first == again == copy.id
    stored = load_messages(database, conversation=load_conversation(database, conversation_id=copy.id, user_id=bob.id))
    assert [(one.content, one.figures) for one in stored] == [("A?", None), ("B.", None)]
    assert len(list_conversations(database, user_id=ada.id, limit=9)) == 1


def test_files_are_shown_only_where_their_owner_says_so(database, ada, bob, tmp_path):
    files = FileStore(tmp_path / "attachments")
    conversation = talk(database, ada, "A?", "B.")
    kept = keep_file(files, name="plan.txt", data=b"The plan")
    database.execute("update messages set attachments = $rows where role = 'user'", rows=to_json([kept]))
    named = {"user_id": ada.id, "conversation_id": conversation}
    assert count_files(database, **named) == 1

    without = share_conversation(database, **named)
    link = share_conversation(database, **named, with_files=True)

    assert load_share(database, share_id=without, viewer_id=bob.id).messages[0].attachments == ()
    assert load_share(database, share_id=link, viewer_id=bob.id).messages[0].attachments == (kept,)
    copy = load_conversation(
        database, conversation_id=copy_share(database, share_id=link, viewer_id=bob.id), user_id=bob.id
    )
    assert load_messages(database, conversation=copy)[0].attachments == (kept,)
    delete_data(database, ada, files=files)
    assert files.holds(kept.content_hash)


def test_links_go_with_the_data_of_their_owner(database, ada, bob):
    link = share_conversation(database, user_id=ada.id, conversation_id=talk(database, ada, "A?", "B."))
    assert link.encode() in export_data(database, ada)

    delete_data(database, ada)

    with pytest.raises(NotFound):
        load_share(database, share_id=link, viewer_id=bob.id)
    assert database.fetch_all("select * from shares") == []
