"""Tokens by command: what `python -m core tokens` asks for, run on the store or by the server that holds it.

To a running server a command goes signed with the installation's own secret, which only who may read the data folder
has. It is good for half a minute, and no session can stand for it nor it for a session: it names its audience.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from core.accounts.tokens import ApiToken, NewToken, create_token, list_tokens, revoke_token
from core.accounts.users import find_user
from core.errors import AccountError, NotFound
from core.store.database import Database

_AUDIENCE = "switchboard-token-command"
_ALGORITHM = "HS256"
_GOOD_FOR = timedelta(seconds=30)


class TokenCommand(BaseModel):
    """One command. `token` is the id or the name of the one to revoke."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["create", "list", "revoke"]
    user: str
    name: str = ""
    scopes: tuple[str, ...] = ("chat",)
    models: tuple[str, ...] | None = None
    budget_usd: Decimal | None = None
    rpm_limit: int | None = None
    expires_at: datetime | None = None
    token: str = ""


class Told(BaseModel):
    """What it did: lines to print, and the new token, which is seen this once."""

    lines: tuple[str, ...] = ()
    token: str | None = None


def run_command(database: Database, command: TokenCommand) -> Told:
    """Run it. Raises AccountError for what breaks a rule, NotFound for nobody or no such token."""
    user = find_user(database, command.user)
    if user is None:
        raise NotFound(f"Nobody here is called {command.user}.", next_step="Give a username as the Admin page has it.")
    match command.action:
        case "create":
            text, token = create_token(database, user, _new(command), actor_id=None)
            return Told(lines=(f"Made for {user.username}: {_words(token)}. It is shown this once:",), token=text)
        case "list":
            found = list_tokens(database, user_id=user.id)
            return Told(lines=tuple(map(_words, found)) or (f"{user.username} has no tokens.",))
        case "revoke":
            token = _named(list_tokens(database, user_id=user.id), command.token)
            revoke_token(database, user, token_id=token.id, actor_id=None)
            return Told(lines=(f"Revoked {token.name} of {user.username}.",))


def sign(command: TokenCommand, *, secret: str) -> str:
    """The command as a signed text."""
    claims = {"aud": _AUDIENCE, "exp": datetime.now(UTC) + _GOOD_FOR, "command": command.model_dump(mode="json")}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def read_signed(text: str, *, secret: str) -> TokenCommand | None:
    """The command in a signed text; None when it is not one of ours, or too old."""
    try:
        claims = jwt.decode(
            text, secret, algorithms=[_ALGORITHM], audience=_AUDIENCE, options={"require": ["exp", "aud"]}
        )
        return TokenCommand.model_validate(claims.get("command"))
    except (jwt.InvalidTokenError, ValidationError):
        return None


def _new(command: TokenCommand) -> NewToken:
    wanted: dict[str, Any] = {name: getattr(command, name) for name in NewToken.__dataclass_fields__}
    return NewToken(**wanted)


def _named(tokens: list[ApiToken], wanted: str) -> ApiToken:
    found = [token for token in tokens if wanted in {token.id, token.name}]
    if len(found) == 1:
        return found[0]
    if found:
        raise AccountError(f"{len(found)} tokens are called {wanted}.", next_step="Give the id that `list` shows.")
    raise NotFound(f"There is no token {wanted}.", next_step="`python -m core tokens list` shows those there are.")


def _words(token: ApiToken) -> str:
    last = f"{token.last_used_at:%Y-%m-%d %H:%M} UTC" if token.last_used_at else "never"
    told = [token.id, token.name, f"ends in {token.ending}", " ".join(sorted(token.scopes)), f"last used {last}"]
    if token.models is not None:
        told.append(f"models {' '.join(token.models)}")
    if token.budget_usd is not None:
        told.append(f"${token.budget_usd.normalize():f} a month")
    if token.rpm_limit is not None:
        told.append(f"{token.rpm_limit:,} requests a minute")
    if token.expires_at is not None:
        told.append(f"until {token.expires_at:%Y-%m-%d %H:%M} UTC")
    return ", ".join(told)
