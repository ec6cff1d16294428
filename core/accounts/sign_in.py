"""Checking a name and a password, with a lock that grows.

A try is counted before the password is looked at, in one transaction: however many guesses arrive at once, no more than
five are ever compared. Names that do not exist are counted and cost the same work, so that nothing tells them apart.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from math import ceil

from core.accounts.passwords import password_matches
from core.accounts.users import User, find_user, normalise_username
from core.clock import Clock, utc_now
from core.errors import AccountError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

FREE_FAILURES = 5
FIRST_LOCK_S = 30
LONGEST_LOCK_S = 3600
_FORGET_AFTER = timedelta(days=1)
_LONGEST_NAME = 64

# The store serialises tries by itself, by making the later of two start again. A crowd of guesses within this process
# would use up those new starts, so it queues here: the tries are milliseconds long, the hashing is outside.
_one_at_a_time = threading.Lock()

_SQL = load_queries("sign_in")
_USERS_SQL = load_queries("users")


def authenticate(database: Database, *, username: str, password: str, clock: Clock = utc_now) -> User:
    """The person behind a name and a password.

    Raises AccountError: not right (one sentence for an unknown name and a wrong password), locked, or disabled.
    """
    name = normalise_username(username)[:_LONGEST_NAME]
    if not name or not password:
        raise AccountError("The name or the password is missing.", next_step="Type both.")
    with _one_at_a_time:
        failures = database.transaction(lambda cur: _count_try(cur, name, clock()))
    if not password_matches(password, _load_hash(database, name)):
        raise _not_right(failures)
    with _one_at_a_time:
        database.execute(_SQL["forget_failures"], username=name)
    user = find_user(database, name)
    if user is None or user.disabled_at is not None:
        raise AccountError("This account is disabled.", next_step="Ask an administrator to enable it.")
    return user


def is_password_of(database: Database, user: User, password: str) -> bool:
    """Whether this is the password of somebody who is signed in already; counts nothing."""
    return password_matches(password, _load_hash(database, user.username))


def lock_s(failures: int) -> int:
    """Seconds a name is locked after this many failures in a row: none, then 30, 60, 120 ... at most an hour."""
    if failures < FREE_FAILURES:
        return 0
    doublings = min(failures - FREE_FAILURES, 20)  # beyond the cap anyway; keeps the number small
    return min(FIRST_LOCK_S << doublings, LONGEST_LOCK_S)


def _count_try(cur: Cursor, name: str, now: datetime) -> int:
    cur.execute(_SQL["lock_sign_in"])
    cur.execute(_SQL["purge_failures"], before=now - _FORGET_AFTER)
    row = cur.fetch_one(_SQL["load_failures"], username=name)
    if row and row["locked_until"] and row["locked_until"] > now:
        raise _locked(row["locked_until"] - now)
    failures = (row["failures"] if row else 0) + 1
    seconds = lock_s(failures)
    until = now + timedelta(seconds=seconds) if seconds else None
    cur.execute(_SQL["save_failures"], username=name, failures=failures, locked_until=until, now=now)
    return int(failures)


def _load_hash(database: Database, name: str) -> str | None:
    row = database.fetch_one(_USERS_SQL["load_password_hash"], username=name)
    return row["password_hash"] if row else None


def _not_right(failures: int) -> AccountError:
    seconds = lock_s(failures)
    sentence = "The name or the password is not right."
    if seconds:
        return AccountError(sentence, next_step=f"Too many failed tries: try again in {_words(seconds)}.")
    return AccountError(sentence, next_step="Check both and try again.")


def _locked(left: timedelta) -> AccountError:
    # Rounded up: "in 0 seconds" would be refused once more.
    seconds = ceil(left.total_seconds())
    return AccountError("Too many failed tries for this name.", next_step=f"Try again in {_words(seconds)}.")


def _words(seconds: int) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"
