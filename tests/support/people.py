"""People for tests, with passwords that are cheap to hash."""

from __future__ import annotations

from core.accounts.users import Role, User, create_user
from core.clock import Clock, utc_now
from core.store.database import Database

PASSWORD = "correct horse"
QUICK = 4  # bcrypt's lowest cost: a test of rules needs no strong hash


def add_person(database: Database, username: str, *, role: Role = "member", clock: Clock = utc_now) -> User:
    """A person who can sign in with PASSWORD."""
    return create_user(
        database,
        username=username,
        display_name=username.title(),
        password=PASSWORD,
        role=role,
        clock=clock,
        rounds=QUICK,
    )
