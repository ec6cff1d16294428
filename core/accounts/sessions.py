"""Sessions: a signed token that says who signed in and when, and the store's word on whether that still counts.

The token is a JWT in streamlit-authenticator's own shape (`username`, `exp_date`) with an id (`jti`) added, so that
signing out kills this one session even if the browser never deletes its cookie.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from core.accounts.users import User, to_user
from core.clock import Clock, utc_now
from core.store.database import Cursor, Database
from core.store.sql import load_queries

SESSION_LIFE = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=5)
_ALGORITHM = "HS256"

_SQL = load_queries("sign_in")
_USERS_SQL = load_queries("users")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in on one device. Times are naive UTC."""

    id: str
    username: str
    issued_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When it ends by itself."""
        return self.issued_at + SESSION_LIFE


def start_session(user: User, *, clock: Clock = utc_now) -> Session:
    """A new session of somebody who has just proved who they are."""
    return Session(id=secrets.token_urlsafe(16), username=user.username, issued_at=clock())


def write_token(session: Session, *, secret: str) -> str:
    """The session as a signed token (HS256)."""
    expires = session.expires_at.replace(tzinfo=UTC).timestamp()
    claims = {"jti": session.id, "username": session.username, "exp_date": expires}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def read_token(token: str, *, secret: str) -> Session | None:
    """The session in a token, or None when it is not one of ours. Its age is judged by `session_user`."""
    try:
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM])
        return _to_session(claims)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError):
        return None


def session_user(database: Database, session: Session, *, clock: Clock = utc_now) -> User | None:
    """The person of a session that still counts, else None. One query, for every run of every page.

    A session ends by age, by signing out (here or everywhere), with a changed password, when the person is disabled.
    """
    if clock() >= session.expires_at:
        return None
    row = database.fetch_one(_SQL["load_session_user"], username=session.username, session_id=session.id)
    if row is None or row["signed_out"] or row["disabled_at"] is not None:
        return None
    return to_user(row) if session.issued_at >= row["sessions_valid_after"] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Who a session belonged to when the store was in a version; for `check_session`."""

    session: Session
    version: int
    user: User


def check_session(
    database: Database, session: Session, *, before: Checked | None = None, clock: Clock = utc_now
) -> Checked | None:
    """`session_user`, without asking the store again while nothing has changed there since `before`.

    On a shared store nothing at all: what others change is known within a second.
    """
    known = database.version_of("users", "signed_out_sessions")
    version = database.version if known is None else known
    if before is not None and (before.session, before.version) == (session, version) and clock() < session.expires_at:
        return before
    user = session_user(database, session, clock=clock)
    return None if user is None else Checked(session=session, version=version, user=user)


def end_session(database: Database, session: Session, *, clock: Clock = utc_now) -> None:
    """Sign this one session out, for good."""

    def work(cur: Cursor) -> None:
        cur.execute(_SQL["purge_signed_out_sessions"], now=clock())
        cur.execute(_SQL["sign_out_session"], session_id=session.id, expires_at=session.expires_at)

    database.transaction(work)


def note_seen(database: Database, user: User, *, clock: Clock = utc_now) -> None:
    """Keep `last_seen_at` within five minutes of the truth: a write for every click would cost more than it tells."""
    now = clock()
    if user.last_seen_at is None or now - user.last_seen_at >= SEEN_EVERY:
        database.execute(_USERS_SQL["set_last_seen"], id=user.id, now=now)


def _to_session(claims: dict[str, Any]) -> Session:
    expires = datetime.fromtimestamp(float(claims["exp_date"]), UTC).replace(tzinfo=None)
    return Session(id=str(claims["jti"]), username=str(claims["username"]), issued_at=expires - SESSION_LIFE)
