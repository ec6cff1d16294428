"""The people of this installation: who there is, and how one is added.

Changes to a person are in `changes`, signing in is in `sign_in`, sessions are in `sessions`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from core.accounts.audit import record
from core.accounts.passwords import ROUNDS, hash_password
from core.clock import Clock, utc_now
from core.errors import AccountError, NotFound
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.sql import load_queries

Role = Literal["member", "admin"]
Source = Literal["password", "oidc"]

MAXIMUM_NAME = 80

_USERNAME = re.compile(r"[a-z0-9._@-]{2,64}")
_SQL = load_queries("users")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One person. Times are naive UTC; a session signed in before `sessions_valid_after` is over.

    While `password_is_one_time`, choosing another password is all they may do.
    """

    id: str
    username: str
    display_name: str
    email: str | None
    role: Role
    source: Source
    sessions_valid_after: datetime
    disabled_at: datetime | None
    created_at: datetime
    last_seen_at: datetime | None
    password_is_one_time: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether this person may manage the installation."""
        return self.role == "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Somebody about to be added; `username` and `display_name` are already checked."""

    username: str
    display_name: str
    email: str | None = None
    password_hash: str | None = None
    password_is_one_time: bool = False
    role: Role = "member"
    oidc_subject: str | None = None
    sessions_valid_after: datetime | None = None


def count_users(database: Database) -> int:
    """How many people there are, disabled ones included."""
    row = database.fetch_one(_SQL["count_users"])
    return int(row["users"]) if row else 0


def find_user(database: Database, username: str) -> User | None:
    """The person with this username, in any case, or None."""
    row = database.fetch_one(_SQL["find_user"], username=normalise_username(username))
    return to_user(row) if row else None


def load_user(database: Database, user_id: str) -> User:
    """The person with this id. Raises NotFound."""
    with database.cursor() as cur:
        return load_user_in(cur, user_id)


def load_user_in(cur: Cursor, user_id: str) -> User:
    """`load_user` inside the caller's transaction."""
    row = cur.fetch_one(_SQL["load_user"], id=user_id)
    if row is None:
        raise NotFound("There is no such person.", next_step="Go back to the list of people.")
    return to_user(row)


def list_users(database: Database) -> list[User]:
    """Everybody, by username."""
    return [to_user(row) for row in database.fetch_all(_SQL["list_users"])]


def create_user(
    database: Database,
    *,
    username: str,
    display_name: str,
    password: str | None,
    one_time: bool = False,
    role: Role = "member",
    email: str | None = None,
    actor_id: str | None = None,
    clock: Clock = utc_now,
    rounds: int = ROUNDS,
) -> User:
    """Add a person. `one_time`: whoever adds them knows the password, so they choose their own at the first sign-in.

    Raises AccountError when the username, the name or the password breaks a rule or the username is taken.
    """
    new = NewUser(
        username=check_username(username),
        display_name=check_display_name(display_name),
        email=email or None,
        password_hash=hash_password(password, rounds=rounds) if password is not None else None,
        password_is_one_time=one_time,
        role=role,
    )
    return database.transaction(lambda cur: insert_user(cur, new, actor_id=actor_id, clock=clock))


def insert_user(cur: Cursor, new: NewUser, *, actor_id: str | None, clock: Clock) -> User:
    """Add a person inside the caller's transaction. Raises AccountError when the username is taken."""
    lock_people(cur)
    if cur.fetch_one(_SQL["find_user"], username=new.username):
        raise AccountError(f"The username {new.username} is taken.", next_step="Choose another one.")
    now = clock()
    user_id = new_id()
    cur.execute(
        _SQL["insert_user"],
        id=user_id,
        username=new.username,
        display_name=new.display_name,
        email=new.email,
        password_hash=new.password_hash,
        password_is_one_time=new.password_is_one_time,
        role=new.role,
        oidc_subject=new.oidc_subject,
        sessions_valid_after=new.sessions_valid_after or now,
        created_at=now,
    )
    user = load_user_in(cur, user_id)
    after = {"role": user.role, "source": user.source}
    record(cur, actor_id=actor_id, action="user.create", subject=user.username, after=after, clock=clock)
    return user


def lock_people(cur: Cursor) -> None:
    """Make the caller's transaction conflict with any other one that adds people or changes roles."""
    cur.execute(_SQL["lock_people"])


def count_active_admins(cur: Cursor) -> int:
    """How many administrators can sign in."""
    row = cur.fetch_one(_SQL["count_active_admins"])
    return int(row["admins"]) if row else 0


def normalise_username(username: str) -> str:
    """What people type, as it is stored: trimmed and in lower case."""
    return username.strip().lower()


def check_username(username: str) -> str:
    """The normalised username. Raises AccountError when it breaks the rules."""
    name = normalise_username(username)
    if not _USERNAME.fullmatch(name):
        raise AccountError(
            "That username cannot be used.",
            next_step="Take 2 to 64 of the letters a to z, digits and . _ - @.",
        )
    return name


def check_display_name(display_name: str) -> str:
    """The name as shown: trimmed, runs of white space made one space. Raises AccountError."""
    name = " ".join(display_name.split())
    if not name:
        raise AccountError("A name is missing.", next_step="Type the name that others see.")
    if len(name) > MAXIMUM_NAME or not name.isprintable():
        raise AccountError(
            "That name cannot be used.", next_step=f"Take at most {MAXIMUM_NAME} characters, all of them visible."
        )
    return name


def to_user(row: dict[str, Any]) -> User:
    """A row of `users` as a value."""
    fields = {name: row[name] for name in User.__dataclass_fields__ if name != "source"}
    return User(**fields, source="oidc" if row["oidc_subject"] else "password")
