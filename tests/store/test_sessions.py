"""When a session counts and when it is over."""

from __future__ import annotations

import pytest

from core.accounts.changes import (
    change_password,
    choose_password,
    disable_user,
    enable_user,
    reset_password,
    sign_out_everywhere,
)
from core.accounts.sessions import (
    SEEN_EVERY,
    SESSION_LIFE,
    Session,
    check_session,
    end_session,
    note_seen,
    session_user,
    start_session,
)
from core.accounts.users import load_user
from core.errors import AccountError
from tests.support.moving_clock import MovingClock
from tests.support.people import PASSWORD, QUICK, add_person


@pytest.fixture(name="clock")
def _clock():
    return MovingClock()


@pytest.fixture(name="ada")
def _ada(database, clock):
    add_person(database, "root", role="admin", clock=clock)
    return add_person(database, "ada", clock=clock)


@pytest.fixture(name="session")
def _session(ada, clock):
    session = start_session(ada, clock=clock)
    clock.advance(seconds=1)
    return session


def test_a_fresh_session_is_its_person(database, clock, ada, session):
    assert session_user(database, session, clock=clock) == ada


def test_it_ends_after_thirty_days(database, clock, ada, session):
    clock.now = session.issued_at + SESSION_LIFE
    assert session_user(database, session, clock=clock) is None
    clock.advance(microseconds=-1)
    assert session_user(database, session, clock=clock) == ada


def test_signing_out_ends_this_one_only(database, clock, ada, session):
    other = start_session(ada, clock=clock)
    end_session(database, session, clock=clock)
    end_session(database, session, clock=clock)

    assert session_user(database, session, clock=clock) is None
    assert session_user(database, other, clock=clock) == ada


def test_signing_out_everywhere_ends_all_but_later_ones(database, clock, ada, session):
    sign_out_everywhere(database, user_id=ada.id, actor_id=ada.id, clock=clock)

    assert session_user(database, session, clock=clock) is None
    assert session_user(database, start_session(ada, clock=clock), clock=clock) is not None


def test_disabling_ends_them_for_good(database, clock, ada, session):
    disable_user(database, user_id=ada.id, actor_id=None, clock=clock)
    assert session_user(database, session, clock=clock) is None

    enable_user(database, user_id=ada.id, actor_id=None, clock=clock)
    assert session_user(database, session, clock=clock) is None


def test_a_changed_password_ends_them(database, clock, ada, session):
    change_password(database, user=ada, current=PASSWORD, new="battery staple", clock=clock, rounds=QUICK)

    assert session_user(database, session, clock=clock) is None


def test_a_reset_password_ends_them_and_has_to_be_replaced(database, clock, ada, session):
    reset_password(database, user_id=ada.id, new="KQF7-92MD-XXXX", actor_id=None, clock=clock, rounds=QUICK)
    assert session_user(database, session, clock=clock) is None
    assert load_user(database, ada.id).password_is_one_time

    with pytest.raises(AccountError, match="one-time password"):
        choose_password(database, user=ada, new="KQF7-92MD-XXXX", clock=clock, rounds=QUICK)
    assert not choose_password(database, user=ada, new="my own words", clock=clock, rounds=QUICK).password_is_one_time


def test_nobody_s_session_is_nobody(database, clock):
    assert session_user(database, Session(id="x", username="ghost", issued_at=clock.now), clock=clock) is None


def test_old_sign_outs_are_forgotten(database, clock, ada, session):
    end_session(database, session, clock=clock)
    clock.advance(days=31)
    end_session(database, start_session(ada, clock=clock), clock=clock)

    rows = database.fetch_all("select session_id from signed_out_sessions")
    assert session.id not in {row["session_id"] for row in rows}
    assert session_user(database, session, clock=clock) is None


def test_last_seen_is_written_now_and_then(database, clock, ada):
    note_seen(database, ada, clock=clock)
    first = clock.now
    seen = load_user(database, ada.id)
    clock.advance(minutes=4)
    note_seen(database, seen, clock=clock)
    assert load_user(database, ada.id).last_seen_at == first

    clock.now = first + SEEN_EVERY
    note_seen(database, seen, clock=clock)
    assert load_user(database, ada.id).last_seen_at == clock.now


def test_a_checked_session_is_looked_up_again_only_after_a_change(database, clock, ada, session):
    checked = check_session(database, session, clock=clock)
    assert checked is not None
    assert checked.user == ada
    assert check_session(database, session, before=checked, clock=clock) is checked
    add_person(database, "eve", clock=clock)
    again = check_session(database, session, before=checked, clock=clock)
    assert again is not checked
    assert again is not None
    assert again.user == ada


def test_a_checked_session_that_ended_counts_no_more(database, clock, session):
    checked = check_session(database, session, clock=clock)
    end_session(database, session, clock=clock)
    assert check_session(database, session, before=checked, clock=clock) is None


def test_a_checked_session_of_a_disabled_person_counts_no_more(database, clock, ada, session):
    checked = check_session(database, session, clock=clock)
    disable_user(database, user_id=ada.id, actor_id=None, clock=clock)
    assert check_session(database, session, before=checked, clock=clock) is None


def test_a_checked_session_still_ends_after_thirty_days(database, clock, session):
    checked = check_session(database, session, clock=clock)
    clock.now = session.issued_at + SESSION_LIFE
    assert check_session(database, session, before=checked, clock=clock) is None


def test_what_was_checked_for_one_session_says_nothing_of_another(database, clock, ada, session):
    other = start_session(ada, clock=clock)
    end_session(database, other, clock=clock)
    checked = check_session(database, session, clock=clock)
    assert check_session(database, other, before=checked, clock=clock) is None
