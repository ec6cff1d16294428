"""Changing a person: role, name, password, access. Every change leaves an audit row.

The installation always keeps one administrator who can sign in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.accounts.audit import record
from core.accounts.passwords import ROUNDS, hash_password
from core.accounts.sign_in import authenticate, is_password_of
from core.accounts.users import Role, User, check_display_name, count_active_admins, load_user_in, lock_people
from core.clock import Clock, utc_now
from core.errors import AccountError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("users")


def set_display_name(
    database: Database, *, user_id: str, display_name: str, actor_id: str | None, clock: Clock = utc_now
) -> User:
    """Change the name that others see. Raises AccountError, NotFound."""
    name = check_display_name(display_name)

    def work(cur: Cursor, user: User) -> tuple[dict[str, Any], dict[str, Any]]:
        cur.execute(_SQL["set_display_name"], id=user.id, display_name=name)
        return {"display_name": user.display_name}, {"display_name": name}

    return _change(database, user_id, "user.name", work, actor_id=actor_id, clock=clock)


def set_role(database: Database, *, user_id: str, role: Role, actor_id: str | None, clock: Clock = utc_now) -> User:
    """Make somebody a member or an administrator. Raises AccountError for the last administrator, NotFound."""

    def work(cur: Cursor, user: User) -> tuple[dict[str, Any], dict[str, Any]]:
        if role != "admin":
            _refuse_last_admin(cur, user)
        cur.execute(_SQL["set_role"], id=user.id, role=role)
        return {"role": user.role}, {"role": role}

    return _change(database, user_id, "user.role", work, actor_id=actor_id, clock=clock)


def disable_user(database: Database, *, user_id: str, actor_id: str | None, clock: Clock = utc_now) -> User:
    """Shut somebody out at once; what they made stays. Raises AccountError for the last administrator, NotFound."""

    def work(cur: Cursor, user: User) -> tuple[dict[str, Any], dict[str, Any]]:
        _refuse_last_admin(cur, user)
        now = clock()
        cur.execute(_SQL["set_disabled_at"], id=user.id, disabled_at=now)
        # Enabling must not bring old sessions back to life.
        cur.execute(_SQL["end_sessions"], id=user.id, now=now)
        return {"disabled": user.disabled_at is not None}, {"disabled": True}

    return _change(database, user_id, "user.disable", work, actor_id=actor_id, clock=clock)


def enable_user(database: Database, *, user_id: str, actor_id: str | None, clock: Clock = utc_now) -> User:
    """Let somebody sign in again. Raises NotFound."""

    def work(cur: Cursor, user: User) -> tuple[dict[str, Any], dict[str, Any]]:
        cur.execute(_SQL["set_disabled_at"], id=user.id, disabled_at=None)
        return {"disabled": user.disabled_at is not None}, {"disabled": False}

    return _change(database, user_id, "user.enable", work, actor_id=actor_id, clock=clock)


def sign_out_everywhere(database: Database, *, user_id: str, actor_id: str | None, clock: Clock = utc_now) -> User:
    """End every session of somebody, on every device. Raises NotFound."""

    def work(cur: Cursor, user: User) -> tuple[None, None]:
        cur.execute(_SQL["end_sessions"], id=user.id, now=clock())
        return None, None

    return _change(database, user_id, "session.revoke", work, actor_id=actor_id, clock=clock)


def change_password(
    database: Database, *, user: User, current: str, new: str, clock: Clock = utc_now, rounds: int = ROUNDS
) -> User:
    """Somebody changes their own password; their sessions end, the caller signs this one in again.

    Raises AccountError when the current password is wrong (counted like a failed sign-in), or when the new one breaks a
    rule or is the current one.
    """
    if new == current:
        raise AccountError("The new password is the current one.", next_step="Choose another one.")
    password_hash = hash_password(new, rounds=rounds)
    authenticate(database, username=user.username, password=current, clock=clock)
    return _set_hash(database, user.id, password_hash, one_time=False, actor_id=user.id, clock=clock)


def choose_password(database: Database, *, user: User, new: str, clock: Clock = utc_now, rounds: int = ROUNDS) -> User:
    """Somebody who has just signed in with a one-time password replaces it; their sessions end. Raises AccountError."""
    if is_password_of(database, user, new):
        raise AccountError("That is the one-time password.", next_step="Choose one that only you know.")
    password_hash = hash_password(new, rounds=rounds)
    return _set_hash(database, user.id, password_hash, one_time=False, actor_id=user.id, clock=clock)


def reset_password(
    database: Database, *, user_id: str, new: str, actor_id: str | None, clock: Clock = utc_now, rounds: int = ROUNDS
) -> User:
    """An administrator gives somebody a one-time password; their sessions end. Raises AccountError, NotFound."""
    password_hash = hash_password(new, rounds=rounds)
    return _set_hash(database, user_id, password_hash, one_time=True, actor_id=actor_id, clock=clock)


def _set_hash(
    database: Database, user_id: str, password_hash: str, *, one_time: bool, actor_id: str | None, clock: Clock
) -> User:
    def work(cur: Cursor, user: User) -> tuple[None, None]:
        if user.source == "oidc":
            raise AccountError(
                f"{user.display_name} has no password here.", next_step="They sign in through the identity provider."
            )
        statement = _SQL["set_password_hash"]
        cur.execute(statement, id=user.id, password_hash=password_hash, one_time=one_time, now=clock())
        return None, None

    return _change(database, user_id, "user.password", work, actor_id=actor_id, clock=clock)


_Work = Callable[[Cursor, User], tuple[dict[str, Any] | None, dict[str, Any] | None]]


def _change(database: Database, user_id: str, action: str, work: _Work, *, actor_id: str | None, clock: Clock) -> User:
    def transaction(cur: Cursor) -> User:
        lock_people(cur)
        user = load_user_in(cur, user_id)
        before, after = work(cur, user)
        record(cur, actor_id=actor_id, action=action, subject=user.username, before=before, after=after, clock=clock)
        return load_user_in(cur, user_id)

    return database.transaction(transaction)


def _refuse_last_admin(cur: Cursor, user: User) -> None:
    if user.is_admin and user.disabled_at is None and count_active_admins(cur) == 1:
        raise AccountError(
            f"{user.display_name} is the only administrator.",
            next_step="Make somebody else an administrator first.",
        )
