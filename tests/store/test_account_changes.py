"""Changing people: every change is audited, and an administrator always remains."""

from __future__ import annotations

import threading

import pytest

from core.accounts.audit import list_audit
from core.accounts.changes import change_password, disable_user, enable_user, reset_password, set_display_name, set_role
from core.accounts.oidc import ensure_oidc_user
from core.accounts.sign_in import authenticate
from core.accounts.users import list_users
from core.errors import AccountError, NotFound
from tests.support.moving_clock import MovingClock
from tests.support.people import PASSWORD, QUICK, add_person


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada", role="admin")


@pytest.fixture(name="bob")
def _bob(database):
    return add_person(database, "bob")


def test_changes_are_made_and_audited(database, ada, bob):
    assert set_role(database, user_id=bob.id, role="admin", actor_id=ada.id).role == "admin"
    assert set_display_name(database, user_id=bob.id, display_name=" Bob  B ", actor_id=bob.id).display_name == "Bob B"
    assert disable_user(database, user_id=bob.id, actor_id=ada.id).disabled_at is not None
    assert enable_user(database, user_id=bob.id, actor_id=ada.id).disabled_at is None

    newest = [(entry.actor, entry.action, entry.subject, entry.before, entry.after) for entry in list_audit(database)]
    assert newest[:4] == [
        ("ada", "user.enable", "bob", {"disabled": True}, {"disabled": False}),
        ("ada", "user.disable", "bob", {"disabled": False}, {"disabled": True}),
        ("bob", "user.name", "bob", {"display_name": "Bob"}, {"display_name": "Bob B"}),
        ("ada", "user.role", "bob", {"role": "member"}, {"role": "admin"}),
    ]
    assert len(list_audit(database, limit=2)) == 2


def test_the_last_administrator_stays(database, ada, bob):
    with pytest.raises(AccountError, match="only administrator"):
        set_role(database, user_id=ada.id, role="member", actor_id=ada.id)
    with pytest.raises(AccountError, match="only administrator"):
        disable_user(database, user_id=ada.id, actor_id=ada.id)


def test_a_disabled_administrator_does_not_count(database, ada, bob):
    set_role(database, user_id=bob.id, role="admin", actor_id=ada.id)
    disable_user(database, user_id=bob.id, actor_id=ada.id)

    with pytest.raises(AccountError, match="only administrator"):
        set_role(database, user_id=ada.id, role="member", actor_id=ada.id)


def test_two_administrators_cannot_demote_each_other(database, ada, bob):
    set_role(database, user_id=bob.id, role="admin", actor_id=ada.id)
    refused: list[AccountError] = []
    together = threading.Barrier(2, timeout=10)

    def demote(target: str, actor: str) -> None:
        together.wait()
        try:
            set_role(database, user_id=target, role="member", actor_id=actor)
        except AccountError as error:
            refused.append(error)

    threads = [threading.Thread(target=demote, args=pair) for pair in ((ada.id, bob.id), (bob.id, ada.id))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len(refused) == 1
    assert sorted(user.role for user in list_users(database)) == ["admin", "member"]


def test_a_refused_change_leaves_no_audit(database, ada):
    before = list_audit(database)
    with pytest.raises(AccountError):
        disable_user(database, user_id=ada.id, actor_id=ada.id)

    assert list_audit(database) == before


def test_changing_a_password_needs_the_current_one(database, ada):
    with pytest.raises(AccountError, match="not right"):
        change_password(database, user=ada, current="wrong wrong", new="battery staple", rounds=QUICK)
    with pytest.raises(AccountError, match="is the current one"):
        change_password(database, user=ada, current=PASSWORD, new=PASSWORD, rounds=QUICK)
    with pytest.raises(AccountError, match="too short"):
        change_password(database, user=ada, current=PASSWORD, new="short", rounds=QUICK)
    change_password(database, user=ada, current=PASSWORD, new="battery staple", rounds=QUICK)

    assert authenticate(database, username="ada", password="battery staple")
    with pytest.raises(AccountError):
        authenticate(database, username="ada", password=PASSWORD)


def test_guessing_the_current_password_is_counted(database, ada):
    for _ in range(5):
        with pytest.raises(AccountError, match="not right"):
            change_password(database, user=ada, current="wrong wrong", new="battery staple", rounds=QUICK)
    with pytest.raises(AccountError, match="Too many"):
        change_password(database, user=ada, current=PASSWORD, new="battery staple", rounds=QUICK)


def test_no_password_for_somebody_from_a_provider(database, ada):
    clock = MovingClock()
    user = ensure_oidc_user(
        database, issuer="i", subject="s", email=None, name="Eve", signed_in_at=clock.now, clock=clock
    )

    with pytest.raises(AccountError, match="no password here"):
        reset_password(database, user_id=user.id, new="battery staple", actor_id=ada.id, rounds=QUICK)


def test_nobody_cannot_be_changed(database):
    with pytest.raises(NotFound):
        set_role(database, user_id="nobody", role="admin", actor_id=None)


def test_no_audit_row_holds_a_password_or_a_hash(database, ada):
    reset_password(database, user_id=ada.id, new="battery staple", actor_id=ada.id, rounds=QUICK)

    written = " ".join(str(row) for row in database.fetch_all("select * from audit"))
    assert "battery" not in written
    assert "$2b$" not in written
