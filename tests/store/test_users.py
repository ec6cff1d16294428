"""Adding people: rules, uniqueness, the first administrator, people from a provider."""

from __future__ import annotations

import threading

import pytest
from pydantic import SecretStr

from core.accounts.audit import list_audit
from core.accounts.first_admin import create_first_admin, ensure_first_admin
from core.accounts.oidc import ensure_oidc_user
from core.accounts.users import count_users, create_user, find_user, list_users, load_user
from core.errors import AccountError, NotFound, SettingsError
from tests.support.moving_clock import MovingClock
from tests.support.people import PASSWORD, QUICK, add_person


def test_a_person_is_found_in_any_case(database):
    clock = MovingClock()
    ada = add_person(database, "Ada.L@Example-1", clock=clock)

    assert ada.username == "ada.l@example-1"
    assert find_user(database, " ADA.L@example-1 ") == ada
    assert load_user(database, ada.id) == ada
    assert list_users(database) == [ada]
    assert ada.created_at == ada.sessions_valid_after == clock.now


@pytest.mark.parametrize("username", ["", "a", "a" * 65, "two words", "ünïcode", "a|b", "tab\tbed", "a/b"])
def test_a_username_outside_the_rules_is_refused(database, username):
    with pytest.raises(AccountError, match="cannot be used"):
        add_person(database, username)
    assert count_users(database) == 0


@pytest.mark.parametrize(
    ("name", "reason"), [("", "missing"), ("  ", "missing"), ("x" * 81, "used"), ("a\x00b", "used")]
)
def test_a_name_outside_the_rules_is_refused(database, name, reason):
    with pytest.raises(AccountError, match=reason):
        create_user(database, username="ada", display_name=name, password=PASSWORD, rounds=QUICK)


def test_a_username_is_taken_once_however_many_ask(database):
    refused: list[AccountError] = []
    together = threading.Barrier(6, timeout=10)

    def add() -> None:
        together.wait()
        try:
            add_person(database, "ada")
        except AccountError as error:
            refused.append(error)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert count_users(database) == 1
    assert len(refused) == 5
    assert all("taken" in str(error) for error in refused)


def test_an_unknown_id_is_not_found(database):
    with pytest.raises(NotFound):
        load_user(database, "nobody")


def test_adding_somebody_is_audited_without_their_password(database):
    admin = add_person(database, "ada", role="admin")
    create_user(
        database, username="bob", display_name="Bob", password=PASSWORD, one_time=True, actor_id=admin.id, rounds=QUICK
    )

    entry = list_audit(database)[0]
    assert (entry.actor, entry.action, entry.subject) == ("ada", "user.create", "bob")
    assert entry.after == {"role": "member", "source": "password"}


def test_of_two_first_administrators_one_is_refused(database):
    outcomes: list[str] = []
    together = threading.Barrier(2, timeout=10)

    def create(username: str) -> None:
        together.wait()
        try:
            create_first_admin(database, username=username, display_name="X", password=PASSWORD, rounds=QUICK)
            outcomes.append("created")
        except AccountError as error:
            outcomes.append(error.user_message)

    threads = [threading.Thread(target=create, args=(name,)) for name in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert sorted(outcomes) == ["The administrator has been created already.", "created"]
    assert count_users(database) == 1


def test_the_password_of_the_environment_makes_admin_once(database):
    created = ensure_first_admin(database, password=SecretStr(PASSWORD), rounds=QUICK)

    assert created is not None
    assert (created.username, created.role) == ("admin", "admin")
    assert ensure_first_admin(database, password=SecretStr("another one"), rounds=QUICK) is None
    assert count_users(database) == 1


def test_without_that_password_nobody_is_made(database):
    assert ensure_first_admin(database, password=None) is None
    assert count_users(database) == 0


def test_a_bad_password_of_the_environment_names_the_variable(database):
    with pytest.raises(SettingsError, match="SWITCHBOARD_ADMIN_PASSWORD") as caught:
        ensure_first_admin(database, password=SecretStr("x" * 73))
    assert "x" * 73 not in str(caught.value)


def test_the_first_person_of_a_provider_is_the_administrator_and_the_next_a_member(database):
    clock = MovingClock()
    first = _from_provider(database, "1", clock, email="ada@example.org", name="Ada L")
    second = _from_provider(database, "2", clock, email="bob@example.org", name=None)

    assert (first.username, first.display_name, first.role, first.source) == (
        "ada@example.org",
        "Ada L",
        "admin",
        "oidc",
    )
    assert (second.role, second.display_name) == ("member", "bob@example.org")


def test_a_provider_makes_no_administrator_where_there_is_one(database):
    add_person(database, "ada", role="admin")

    assert _from_provider(database, "1", MovingClock()).role == "member"


def test_a_subject_is_created_once_and_never_matched_by_address(database):
    clock = MovingClock()
    local = add_person(database, "ada@example.org", role="admin")
    first = _from_provider(database, "1", clock, email="ada@example.org")
    again = _from_provider(database, "1", clock, email="changed@example.org")
    other_issuer = ensure_oidc_user(
        database, issuer="https://b", subject="1", email=None, name=None, signed_in_at=clock.now, clock=clock
    )

    assert first.id == again.id
    assert len({local.id, first.id, other_issuer.id}) == 3
    assert first.username == "ada@example.org-2"


@pytest.mark.parametrize("name", ["Ünï Cödé", "", "😀", "x" * 300, "a\x00\nb"])
def test_whatever_a_provider_calls_somebody_gives_a_username(database, name):
    user = _from_provider(database, "s-1", MovingClock(), email=None, name=name)

    assert 2 <= len(user.username) <= 64
    assert user.display_name.isprintable()
    assert find_user(database, user.username) == user


def _from_provider(database, subject, clock, *, email="ada@example.org", name="Ada"):
    return ensure_oidc_user(
        database, issuer="https://a", subject=subject, email=email, name=name, signed_in_at=clock.now, clock=clock
    )
