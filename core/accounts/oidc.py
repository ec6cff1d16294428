"""People who come through an OpenID Connect provider: created on first sight, then found by issuer and subject."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.accounts.users import (
    MAXIMUM_NAME,
    NewUser,
    Role,
    User,
    count_active_admins,
    insert_user,
    lock_people,
    to_user,
)
from core.clock import Clock, utc_now
from core.store.database import Cursor, Database
from core.store.sql import load_queries

_NOT_IN_USERNAMES = re.compile(r"[^a-z0-9._@-]+")
_LONGEST_STEM = 56  # leaves room for a number within 64

_SQL = load_queries("users")


def ensure_oidc_user(
    database: Database,
    *,
    issuer: str,
    subject: str,
    email: str | None,
    name: str | None,
    signed_in_at: datetime,
    clock: Clock = utc_now,
) -> User:
    """The person of a subject, created as a member on first sight. `signed_in_at`: the provider's time of sign-in, UTC.

    Somebody has to be the first administrator, and whoever set up the provider decided who gets this far: the first
    person becomes one if the installation has none. People are never matched by email address, which at many providers
    is whatever its owner typed: it would hand an account to anybody.
    """
    key = f"{issuer}|{subject}"
    row = database.fetch_one(_SQL["find_oidc_user"], oidc_subject=key)
    if row:
        return to_user(row)
    stem = _username_stem(email or name or subject)
    shown = _shown_name(name or email or stem)

    def work(cur: Cursor) -> User:
        lock_people(cur)
        existing = cur.fetch_one(_SQL["find_oidc_user"], oidc_subject=key)
        if existing:
            return to_user(existing)
        role: Role = "member" if count_active_admins(cur) else "admin"
        new = NewUser(
            username=_free_username(cur, stem),
            display_name=shown,
            email=email,
            role=role,
            oidc_subject=key,
            # The session they come with began before this row exists.
            sessions_valid_after=min(signed_in_at, clock()),
        )
        return insert_user(cur, new, actor_id=None, clock=clock)

    return database.transaction(work)


def claimed_groups(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The groups that a provider names in the claim of this name: a list of names, or one name.

    Anything else, and no such claim, is no group: what a provider does not say opens nothing.
    """
    held = claims.get(name)
    named = [held] if isinstance(held, str) else held
    if not isinstance(named, (list, tuple)):
        return ()
    return tuple(name for name in named if isinstance(name, str) and name)


def _username_stem(text: str) -> str:
    stem = _NOT_IN_USERNAMES.sub("-", text.lower()).strip("-")[:_LONGEST_STEM]
    return stem if len(stem) > 1 else f"person-{stem}".rstrip("-")


def _shown_name(text: str) -> str:
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())[:MAXIMUM_NAME].strip() or "Somebody"


def _free_username(cur: Cursor, stem: str) -> str:
    candidate, number = stem, 1
    while cur.fetch_one(_SQL["find_user"], username=candidate):
        number += 1
        candidate = f"{stem}-{number}"
    return candidate
