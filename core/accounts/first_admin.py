"""The first administrator: from the set-up page with the one-time code, or from SWITCHBOARD_ADMIN_PASSWORD."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from core.accounts.passwords import ROUNDS, hash_password
from core.accounts.session_secret import load_session_secret
from core.accounts.setup_code import SetupCode
from core.accounts.users import NewUser, User, check_display_name, check_username, count_users, insert_user, lock_people
from core.clock import Clock, utc_now
from core.errors import AccountError, SettingsError
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_SQL = load_queries("users")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What signing in needs besides the store: the key that signs sessions and the one-time code."""

    secret: str
    setup_code: SetupCode


def open_sign_in(
    database: Database,
    *,
    data_dir: Path,
    admin_password: SecretStr | None,
    session_secret: SecretStr | None = None,
) -> SignIn:
    """Prepare signing in at the start of the process. Raises SettingsError."""
    secret = load_session_secret(data_dir, given=session_secret)
    ensure_first_admin(database, password=admin_password)
    return SignIn(secret=secret, setup_code=SetupCode(print_setup_code))


def print_setup_code(code: str) -> None:
    """Say the one-time code in the terminal."""
    sys.stdout.write(f"\nTo create the administrator, type this one-time code on the page: {code}\n\n")
    sys.stdout.flush()


def create_first_admin(
    database: Database,
    *,
    username: str,
    display_name: str,
    password: str,
    clock: Clock = utc_now,
    rounds: int = ROUNDS,
) -> User:
    """Create the administrator of an installation without people. Raises AccountError when there is somebody."""
    new = NewUser(
        username=check_username(username),
        display_name=check_display_name(display_name),
        password_hash=hash_password(password, rounds=rounds),
        role="admin",
    )

    def work(cur: Cursor) -> User:
        lock_people(cur)
        row = cur.fetch_one(_SQL["count_users"])
        if row and row["users"]:
            raise _created_already()
        return insert_user(cur, new, actor_id=None, clock=clock)

    return database.transaction(work)


def refuse_second_first_admin(database: Database) -> None:
    """Raise AccountError when there is somebody already."""
    if count_users(database):
        raise _created_already()


def ensure_first_admin(
    database: Database, *, password: SecretStr | None, clock: Clock = utc_now, rounds: int = ROUNDS
) -> User | None:
    """Create the user `admin` when a password is set and there is nobody yet; None when there was nothing to do.

    Raises SettingsError naming the variable when the password breaks a rule.
    """
    if password is None or count_users(database):
        return None
    try:
        return create_first_admin(
            database,
            username="admin",
            display_name="Administrator",
            password=password.get_secret_value(),
            clock=clock,
            rounds=rounds,
        )
    except AccountError as error:
        if count_users(database):
            return None  # another replica was faster
        raise SettingsError(
            f"SWITCHBOARD_ADMIN_PASSWORD is wrong: {error.user_message}", next_step=error.next_step
        ) from error


def _created_already() -> AccountError:
    return AccountError("The administrator has been created already.", next_step="Sign in, or ask them.")
