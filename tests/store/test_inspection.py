"""Reading others' conversations: off unless the team allows it, for administrators alone, never without a trace."""

from __future__ import annotations

import pytest

from core.accounts.audit import list_audit
from core.accounts.preferences import save_team_default
from core.chat.inspection import inspect_conversation, inspection_allowed
from core.chat.store import delete_conversation
from core.errors import AccountError, NotFound
from tests.support.conversations import make_conversation
from tests.support.people import add_person


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada", role="admin")


@pytest.fixture(name="bob")
def _bob(database):
    return add_person(database, "bob")


def _reads(database) -> list[tuple[str | None, str]]:
    return [(entry.actor, entry.subject) for entry in list_audit(database) if entry.action == "conversation.read"]


def _allow(database, ada) -> None:
    save_team_default(database, name="inspection", value="on", actor_id=ada.id)


def test_nobody_reads_others_texts_unless_the_team_allows_it(database, ada, bob):
    theirs = make_conversation(database, bob.id, "My salary?", "Ask your lead.")

    assert not inspection_allowed(database, viewer=ada)
    with pytest.raises(AccountError, match="closed to you"):
        inspect_conversation(database, viewer=ada, conversation_id=theirs)
    assert _reads(database) == []


def test_an_allowed_look_shows_the_texts_and_is_in_the_audit(database, ada, bob):
    theirs = make_conversation(database, bob.id, "My salary?", "Ask your lead.")
    _allow(database, ada)

    found = inspect_conversation(database, viewer=ada, conversation_id=theirs)

    assert [message.content for message in found.messages] == ["My salary?", "Ask your lead."]
    assert _reads(database) == [("ada", "bob")]


def test_a_member_never_does(database, ada, bob):
    hers = make_conversation(database, ada.id, "A secret", "Kept.")
    _allow(database, ada)

    with pytest.raises(AccountError):
        inspect_conversation(database, viewer=bob, conversation_id=hers)
    assert _reads(database) == []


def test_a_deleted_conversation_stays_closed(database, ada, bob):
    theirs = make_conversation(database, bob.id, "Never mind", "Fine.")
    delete_conversation(database, conversation_id=theirs, user_id=bob.id)
    _allow(database, ada)

    with pytest.raises(NotFound, match="deleted"):
        inspect_conversation(database, viewer=ada, conversation_id=theirs)
