"""API tokens: made with a name and limits, shown once, kept as a hash, revoked by their owner.

A token is `sb-` and 256 random bits. A plain SHA-256 of so many bits cannot be guessed back, and an index finds it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

from core.accounts.audit import record
from core.accounts.users import User, load_user_in
from core.clock import Clock, utc_now
from core.errors import AccountError, NotFound
from core.ids import new_id
from core.store.database import Cursor, Database
from core.store.kept import KeptReads
from core.store.sql import load_queries

Scope = Literal["chat", "usage", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "sb-"
MOST_TOKENS = 100
MOST_USD = Decimal(1_000_000)

_MAXIMUM_NAME = 80
_ENDING = 4
_BYTES = 32
# As for sessions: a write for every call would cost more than it tells.
_USED_EVERY = timedelta(minutes=1)
_SQL = load_queries("tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """One token, without the token itself. Times are naive UTC.

    `models` None: all that its owner may use. `budget_usd` is per calendar month (UTC), `rpm_limit` per minute.
    """

    id: str
    user_id: str
    name: str
    ending: str
    scopes: frozenset[Scope]
    models: tuple[str, ...] | None
    budget_usd: Decimal | None
    rpm_limit: int | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What somebody wants a token for."""

    name: str
    scopes: Collection[str] = ("chat",)
    models: Collection[str] | None = None
    budget_usd: Decimal | None = None
    rpm_limit: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who calls: a token that works, and the person it belongs to."""

    token: ApiToken
    user: User


def create_token(
    database: Database, user: User, new: NewToken, *, actor_id: str | None, clock: Clock = utc_now
) -> tuple[str, ApiToken]:
    """Make a token and return it with its record. This is the only time that it can be seen. Leaves an audit row.

    Raises AccountError when a name, scope or limit breaks a rule, when there are 100 already, or when somebody who is
    no administrator wants the scope admin.
    """
    now = clock()
    text = PREFIX + secrets.token_urlsafe(_BYTES)
    row = {**_checked(new, user, now=now), "id": new_id(), "user_id": user.id, "created_at": now}

    def work(cur: Cursor) -> None:
        counted = cur.fetch_one(_SQL["count_tokens"], user_id=user.id, now=now)
        if counted and counted["tokens"] >= MOST_TOKENS:
            raise AccountError(f"There are {MOST_TOKENS} tokens already.", next_step="Revoke one that is not used.")
        cur.execute(_SQL["insert_token"], **row, hash=_hash(text), ending=text[-_ENDING:])
        after = {"name": row["name"], "scopes": row["scopes"]}
        record(cur, actor_id=actor_id, action="token.create", subject=user.username, after=after, clock=clock)

    database.transaction(work)
    return text, _to_token({**row, "ending": text[-_ENDING:], "last_used_at": None})


def list_tokens(database: Database, *, user_id: str) -> list[ApiToken]:
    """A person's tokens that are not revoked, newest first; expired ones too, so that one sees why a script fails."""
    return [_to_token(row) for row in database.fetch_all(_SQL["tokens_of_user"], user_id=user_id)]


def revoke_token(
    database: Database, user: User, *, token_id: str, actor_id: str | None, clock: Clock = utc_now
) -> None:
    """Make a token worthless at once. Leaves an audit row. Raises NotFound for one that is not this person's."""

    def work(cur: Cursor) -> None:
        row = cur.fetch_one(_SQL["token_of_user"], id=token_id, user_id=user.id)
        if row is None:
            raise NotFound("There is no such token.", next_step="Reload the page to see those there are.")
        cur.execute(_SQL["revoke_token"], id=token_id, now=clock())
        before = {"name": row["name"]}
        record(cur, actor_id=actor_id, action="token.revoke", subject=user.username, before=before, clock=clock)

    database.transaction(work)


def find_bearer(database: Database, text: str, *, clock: Clock = utc_now) -> Bearer | None:
    """Whose token this is; None for one that is unknown, revoked or expired, or whose owner is shut out.

    The scope admin holds as long as its owner is an administrator.
    """
    wanted = _hash(text)
    try:
        # Known ones only: who guesses does not fill the memory.
        known = _KNOWN.read(database, wanted, lambda: _read(database, wanted))
    except NotFound:
        return None
    return known.bearer if _works(known, wanted, clock()) else None


def known_bearer(database: Database, text: str, *, clock: Clock = utc_now) -> Bearer | None:
    """The same without a look at the store; None also for a token that has to be looked up, or whose use to be noted.

    For an event loop, where a thread for every call would cost more than the rest of it.
    """
    wanted, now = _hash(text), clock()
    known = _KNOWN.find(database, wanted)
    if known is None or not _works(known, wanted, now) or _use_is_news(known.bearer.token, now):
        return None
    return known.bearer


def note_used(database: Database, token: ApiToken, *, clock: Clock = utc_now) -> None:
    """Keep `last_used_at` within a minute of the truth."""
    now = clock()
    if _use_is_news(token, now):
        database.execute(_SQL["note_used"], id=token.id, now=now)


def _use_is_news(token: ApiToken, now: datetime) -> bool:
    return token.last_used_at is None or now - token.last_used_at >= _USED_EVERY


@dataclass(frozen=True, slots=True)
class _Known:
    """A token as it stands in the store, whether or not it works."""

    hash: str
    revoked: bool
    bearer: Bearer


_KNOWN: KeptReads[_Known] = KeptReads(most=1000, tables=("api_tokens", "users"))


def _read(database: Database, wanted: str) -> _Known:
    with database.cursor() as cur:
        row = cur.fetch_one(_SQL["token_by_hash"], hash=wanted)
        if row is None:
            raise NotFound("There is no such token.")
        user = load_user_in(cur, row["user_id"])
    return _Known(row["hash"], row["revoked_at"] is not None, Bearer(_within_role(_to_token(row), user), user))


def _works(known: _Known, wanted: str, now: datetime) -> bool:
    token, user = known.bearer.token, known.bearer.user
    # The index found it by comparing; this comparison takes the same time for every wrong one.
    if not hmac.compare_digest(known.hash, wanted):
        return False
    expired = token.expires_at is not None and token.expires_at <= now
    return not known.revoked and not expired and user.disabled_at is None


def _checked(new: NewToken, user: User, *, now: datetime) -> dict[str, Any]:
    name = " ".join(new.name.split())
    if not name or len(name) > _MAXIMUM_NAME or not name.isprintable():
        raise AccountError("That name cannot be used.", next_step=f"Take 1 to {_MAXIMUM_NAME} visible characters.")
    if new.expires_at is not None and new.expires_at <= now:
        raise AccountError("A token cannot expire in the past.", next_step="Choose a day to come, or none.")
    return {
        "name": name,
        "scopes": " ".join(_scopes(new.scopes, user)),
        "models": None if new.models is None else json.dumps(sorted(new.models)),
        "budget_usd": _budget(new.budget_usd),
        "rpm_limit": _rpm(new.rpm_limit),
        "expires_at": new.expires_at,
    }


def _scopes(wanted: Collection[str], user: User) -> list[str]:
    unknown = sorted(set(wanted) - set(SCOPES))
    if unknown or not wanted:
        what = f"The scope {unknown[0]} is not known." if unknown else "A token without a scope can do nothing."
        raise AccountError(what, next_step=f"Choose from: {', '.join(SCOPES)}.")
    if "admin" in wanted and not user.is_admin:
        raise AccountError("Only administrators may make tokens with the scope admin.", next_step="Leave it out.")
    return [scope for scope in SCOPES if scope in wanted]


def _budget(budget_usd: Decimal | None) -> Decimal | None:
    if budget_usd is not None and not (budget_usd.is_finite() and 0 < budget_usd <= MOST_USD):
        raise AccountError(
            "That budget cannot be used.", next_step=f"Take more than $0 and at most ${MOST_USD:,}, or none."
        )
    return budget_usd


def _rpm(rpm_limit: int | None) -> int | None:
    if rpm_limit is not None and not 1 <= rpm_limit <= 1_000_000:  # noqa: PLR2004 - said in the next step
        raise AccountError("That limit cannot be used.", next_step="Take 1 to 1,000,000 requests a minute, or none.")
    return rpm_limit


def _within_role(token: ApiToken, user: User) -> ApiToken:
    return token if user.is_admin else replace(token, scopes=token.scopes - {"admin"})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _to_token(row: dict[str, Any]) -> ApiToken:
    fields = {name: row[name] for name in ApiToken.__dataclass_fields__ if name not in {"scopes", "models"}}
    models = None if row["models"] is None else tuple(json.loads(row["models"]))
    return ApiToken(**fields, scopes=frozenset(row["scopes"].split()), models=models)
