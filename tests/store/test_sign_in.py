"""Names, passwords and the lock that grows."""

from __future__ import annotations

import threading

import pytest

from core.accounts.changes import disable_user
from core.accounts.oidc import ensure_oidc_user
from core.accounts.sign_in import FREE_FAILURES, authenticate
from core.errors import AccountError
from tests.support.moving_clock import MovingClock
from tests.support.people import PASSWORD, add_person


@pytest.fixture(name="clock")
def _clock():
    return MovingClock()


def _fail(database, clock, *, username="ada", times=1):
    messages = []
    for _ in range(times):
        with pytest.raises(AccountError) as caught:
            authenticate(database, username=username, password="wrong wrong", clock=clock)
        messages.append(str(caught.value))
    return messages


def test_the_right_password_signs_in(database, clock):
    ada = add_person(database, "ada")

    assert authenticate(database, username=" ADA", password=PASSWORD, clock=clock) == ada


@pytest.mark.parametrize(("username", "password"), [("", "x"), ("ada", ""), ("  ", "x")])
def test_an_empty_field_is_said_and_not_counted(database, clock, username, password):
    for _ in range(FREE_FAILURES + 1):
        with pytest.raises(AccountError, match="missing"):
            authenticate(database, username=username, password=password, clock=clock)


def test_five_failures_lock_a_name_even_for_the_right_password(database, clock):
    add_person(database, "ada")
    messages = _fail(database, clock, times=FREE_FAILURES)

    assert all("not right" in message for message in messages)
    assert "30 seconds" in messages[-1]
    with pytest.raises(AccountError, match=r"Too many failed tries for this name\. Try again in 30 seconds"):
        authenticate(database, username="ada", password=PASSWORD, clock=clock)
    clock.advance(seconds=31)
    assert authenticate(database, username="ada", password=PASSWORD, clock=clock)


def test_the_lock_grows_with_every_further_failure(database, clock):
    add_person(database, "ada")
    _fail(database, clock, times=FREE_FAILURES)
    clock.advance(seconds=31)

    assert "1 minute" in _fail(database, clock)[0]
    clock.advance(seconds=59)
    assert "Too many" in _fail(database, clock)[0]
    clock.advance(seconds=2)
    assert "2 minutes" in _fail(database, clock)[0]


def test_success_starts_the_count_anew(database, clock):
    add_person(database, "ada")
    _fail(database, clock, times=FREE_FAILURES - 1)
    authenticate(database, username="ada", password=PASSWORD, clock=clock)

    assert all("seconds" not in message for message in _fail(database, clock, times=FREE_FAILURES - 1))


def test_a_day_of_quiet_forgets(database, clock):
    add_person(database, "ada")
    _fail(database, clock, times=FREE_FAILURES - 1)
    clock.advance(days=1, seconds=1)

    assert "seconds" not in _fail(database, clock)[0]


@pytest.mark.slow
def test_a_name_that_does_not_exist_looks_the_same(database, clock):
    add_person(database, "ada")

    assert _fail(database, clock, username="nobody", times=7) == _fail(database, clock, username="ada", times=7)


def test_a_very_long_name_is_refused_like_any_other(database, clock):
    assert "not right" in _fail(database, clock, username="x" * 100_000)[0]


def test_other_names_are_not_locked(database, clock):
    add_person(database, "ada")
    add_person(database, "bob")
    _fail(database, clock, times=FREE_FAILURES)

    assert authenticate(database, username="bob", password=PASSWORD, clock=clock)


def test_parallel_guesses_get_no_extra_try(database, clock):
    add_person(database, "ada")
    messages: list[str] = []
    together = threading.Barrier(20, timeout=10)

    def guess() -> None:
        together.wait()
        messages.extend(_fail(database, clock))

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(messages) == 20
    assert sum("not right" in message for message in messages) == FREE_FAILURES


def test_a_disabled_person_is_told_only_with_the_right_password(database, clock):
    add_person(database, "root", role="admin")
    ada = add_person(database, "ada")
    disable_user(database, user_id=ada.id, actor_id=None)

    with pytest.raises(AccountError, match="disabled"):
        authenticate(database, username="ada", password=PASSWORD, clock=clock)
    assert "not right" in _fail(database, clock)[0]


def test_somebody_from_a_provider_has_no_password_to_guess(database, clock):
    user = ensure_oidc_user(
        database, issuer="i", subject="s", email="eve@example.org", name=None, signed_in_at=clock.now, clock=clock
    )

    assert "not right" in _fail(database, clock, username=user.username)[0]
