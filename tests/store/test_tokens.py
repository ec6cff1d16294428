"""Tokens: seen once, kept as a hash, limited, revoked, and worthless when their owner is."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.accounts.audit import list_audit
from core.accounts.changes import disable_user, set_role
from core.accounts.tokens import (
    NewToken,
    create_token,
    find_bearer,
    known_bearer,
    list_tokens,
    note_used,
    revoke_token,
)
from core.accounts.users import create_user
from core.errors import AccountError, NotFound
from tests.support.moving_clock import MovingClock

NOW = datetime.fromisoformat("2026-11-23T12:00")


@pytest.fixture(name="ann")
def _ann(database):
    return create_user(database, username="ann", display_name="Ann", password=None)


@pytest.fixture(name="admin")
def _admin(database):
    return create_user(database, username="root", display_name="Root", password=None, role="admin")


def make(database, user, **wanted):
    return create_token(database, user, NewToken(**{"name": "script", **wanted}), actor_id=user.id)


def test_a_token_is_found_by_itself_and_its_text_is_nowhere_in_the_store(database, ann):
    text, token = make(database, ann, scopes=["usage", "chat"], models=["b", "a"], budget_usd=Decimal("0.000000001"))

    bearer = find_bearer(database, text)
    assert (bearer.user, bearer.token) == (ann, token)
    assert (token.scopes, token.models, token.budget_usd) == ({"chat", "usage"}, ("a", "b"), Decimal("0.000000001"))
    assert text.startswith("sb-")
    assert text.endswith(token.ending)
    assert text not in str(database.fetch_all("select * from api_tokens"))


@pytest.mark.parametrize("text", ["", "sb-", "sb-x", "sb-" + "A" * 43, "sb-\udcff", "x" * 100_000])
def test_other_texts_are_nobodys(database, ann, text):
    make(database, ann)

    assert find_bearer(database, text) is None


def test_a_revoked_token_is_worthless_and_off_the_list(database, ann):
    text, token = make(database, ann)
    revoke_token(database, ann, token_id=token.id, actor_id=ann.id)

    assert find_bearer(database, text) is None
    assert list_tokens(database, user_id=ann.id) == []
    assert [entry.action for entry in list_audit(database)][:2] == ["token.revoke", "token.create"]
    with pytest.raises(NotFound):
        revoke_token(database, ann, token_id=token.id, actor_id=ann.id)


def test_a_token_that_was_just_used_is_worthless_as_soon_as_it_is_revoked_or_its_owner_shut_out(database, ann, admin):
    (first, token), (second, _) = make(database, ann), make(database, ann)
    assert find_bearer(database, first).token == token
    revoke_token(database, ann, token_id=token.id, actor_id=ann.id)

    assert find_bearer(database, first) is None
    assert find_bearer(database, second) is not None
    disable_user(database, user_id=ann.id, actor_id=admin.id)
    assert (find_bearer(database, second), known_bearer(database, second)) == (None, None)


def test_a_token_is_known_without_a_look_once_it_was_found_and_its_use_noted(database, ann):
    clock = MovingClock()
    text, token = create_token(
        database, ann, NewToken(name="short", expires_at=clock.now + timedelta(seconds=50)), actor_id=None, clock=clock
    )
    find_bearer(database, text, clock=clock)
    assert known_bearer(database, text, clock=clock) is None
    note_used(database, token, clock=clock)
    assert known_bearer(database, text, clock=clock) is None

    found = find_bearer(database, text, clock=clock)
    # Of a shared store nobody knows without a look what others have changed.
    assert known_bearer(database, text, clock=clock) == (None if database.is_shared else found)
    assert known_bearer(database, text + "x", clock=clock) is None
    clock.advance(seconds=50)
    assert known_bearer(database, text, clock=clock) is None


def test_nobody_revokes_somebody_elses(database, ann, admin):
    text, token = make(database, ann)

    with pytest.raises(NotFound):
        revoke_token(database, admin, token_id=token.id, actor_id=admin.id)
    assert find_bearer(database, text) is not None


def test_the_scope_admin_ends_with_the_role(database, admin):
    create_user(database, username="eve", display_name="Eve", password=None, role="admin")
    text, _ = make(database, admin, scopes=["chat", "admin"])
    set_role(database, user_id=admin.id, role="member", actor_id=None)

    assert find_bearer(database, text).token.scopes == {"chat"}
    set_role(database, user_id=admin.id, role="admin", actor_id=None)
    assert find_bearer(database, text).token.scopes == {"chat", "admin"}


def test_a_token_ends_when_it_was_to_end(database, ann):
    clock = MovingClock()
    new = NewToken(name="short", expires_at=clock.now + timedelta(days=1))
    text, _ = create_token(database, ann, new, actor_id=ann.id, clock=clock)

    assert find_bearer(database, text, clock=clock) is not None
    clock.advance(days=1)
    assert find_bearer(database, text, clock=clock) is None


def test_a_token_of_somebody_who_is_shut_out_is_worthless(database, ann, admin):
    text, _ = make(database, ann)
    disable_user(database, user_id=ann.id, actor_id=admin.id)

    assert find_bearer(database, text) is None


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"name": " "}, "That name cannot be used"),
        ({"name": "x" * 81}, "That name cannot be used"),
        ({"scopes": []}, "without a scope"),
        ({"scopes": ["chat", "root"]}, "The scope root is not known"),
        ({"scopes": ["admin"]}, "Only administrators"),
        ({"budget_usd": Decimal(0)}, "That budget cannot be used"),
        ({"budget_usd": Decimal("NaN")}, "That budget cannot be used"),
        ({"rpm_limit": 0}, "That limit cannot be used"),
        ({"expires_at": datetime.fromisoformat("2020-01-01")}, "cannot expire in the past"),
    ],
)
def test_wrong_wishes_are_refused_in_a_sentence(database, ann, wanted, sentence):
    with pytest.raises(AccountError, match=sentence):
        make(database, ann, **wanted)


def test_administrators_may_have_the_scope_admin(database, admin):
    assert make(database, admin, scopes=["admin"])[1].scopes == {"admin"}


def test_the_last_use_is_noted_to_the_minute(database, ann):
    _, token = make(database, ann)
    note_used(database, token, clock=lambda: NOW)
    used = list_tokens(database, user_id=ann.id)[0]
    note_used(database, used, clock=lambda: NOW + timedelta(seconds=59))

    assert list_tokens(database, user_id=ann.id)[0].last_used_at == NOW
    note_used(database, used, clock=lambda: NOW + timedelta(seconds=60))
    assert list_tokens(database, user_id=ann.id)[0].last_used_at == NOW + timedelta(seconds=60)
