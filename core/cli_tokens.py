"""`python -m core tokens`: making, listing and revoking API tokens, also while a server runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import httpx
from pydantic import ValidationError

from core.accounts.session_secret import load_session_secret
from core.accounts.token_commands import TokenCommand, Told, run_command, sign
from core.accounts.tokens import SCOPES
from core.catalog.registry import load_registry
from core.errors import AccountError, StoreLocked
from core.settings import Settings, address, load_settings
from core.store.maintenance import open_existing
from core.store.migrate import migrate

_WITHIN_S = 15.0


def add_tokens_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `tokens` to the commands."""
    tokens = commands.add_parser("tokens", help="keys for scripts: make, list and revoke them")
    actions = tokens.add_subparsers(dest="action", required=True)
    make = actions.add_parser("create", help="make one; it is printed alone on the last line, this once")
    make.add_argument("--name", required=True, help="what it is for, such as `nightly report`")
    make.add_argument("--scope", action="append", choices=SCOPES, help="may be repeated; chat by default")
    make.add_argument(
        "--model", action="append", metavar="ID", help="may be repeated; by default all its owner may use"
    )
    make.add_argument("--budget", type=_amount, metavar="USD", help="per calendar month, UTC")
    make.add_argument("--rpm", type=int, metavar="N", help="requests a minute")
    make.add_argument(
        "--expires", type=_day, metavar="DAY", help="the first day it does not work, such as 2027-01-31 (UTC)"
    )
    shown = actions.add_parser("list", help="those of a person that are not revoked")
    end = actions.add_parser("revoke", help="make one worthless at once")
    end.add_argument("token", help="its id or its name")
    for action, command in ((make, _create), (shown, _list), (end, _revoke)):
        action.add_argument("--user", required=True, metavar="USERNAME", help="whose they are")
        action.set_defaults(run=_running(command))


def tokens(command: TokenCommand) -> int:
    """Run a command where the store can be reached, and print what it says. Raises SwitchboardError."""
    settings = load_settings()
    _check_models(settings, command.models or ())
    try:
        database = open_existing(settings.store_url)
    except StoreLocked:
        return _print(_ask_server(settings, command))
    try:
        migrate(database)
        return _print(run_command(database, command))
    finally:
        database.close()


def _check_models(settings: Settings, wanted: Sequence[str]) -> None:
    """Raises AccountError for a model that the registry has not and no endpoint could have."""
    if not wanted:
        return
    registry = load_registry(settings.models, local_models=settings.local_model == "on")
    # What an endpoint reports of itself is known to a running server alone.
    asked = tuple(f"{provider.id}/" for provider in registry.providers.values() if provider.discover)
    unknown = [name for name in wanted if registry.get(name) is None and not name.startswith(asked)]
    if unknown:
        raise AccountError(
            f"There is no model {unknown[0]} in {settings.models}.",
            next_step="Give an id as that file or GET /v1/models has it.",
        )


def _ask_server(settings: Settings, command: TokenCommand) -> Told:
    server = address(settings.host, settings.port)
    signed = sign(command, secret=load_session_secret(settings.data_dir, given=settings.session_secret))
    try:
        # Never through a proxy: what is asked for is on this machine, and so is the answer's secret.
        answer = httpx.post(f"{server}/api/local/tokens", json={"signed": signed}, timeout=_WITHIN_S, trust_env=False)
        if answer.status_code == httpx.codes.OK:
            return Told.model_validate_json(answer.content)
        raise AccountError(str(answer.json()["error"]["message"]))
    except (httpx.HTTPError, ValidationError, ValueError, KeyError, TypeError) as error:
        raise AccountError(
            f"A running Switchboard holds the store and does not answer at {server}.",
            next_step="Set SWITCHBOARD_HOST and SWITCHBOARD_PORT as the server has them, or use its Settings page.",
        ) from error


def _print(told: Told) -> int:
    for line in told.lines:
        print(line)
    if told.token is not None:
        print(told.token)
    return 0


def _running(command: Callable[[argparse.Namespace], TokenCommand]) -> Callable[[argparse.Namespace], int]:
    return lambda options: tokens(command(options))


def _create(options: argparse.Namespace) -> TokenCommand:
    return TokenCommand(
        action="create",
        user=options.user,
        name=options.name,
        scopes=tuple(options.scope or ("chat",)),
        models=None if options.model is None else tuple(options.model),
        budget_usd=options.budget,
        rpm_limit=options.rpm,
        expires_at=options.expires,
    )


def _list(options: argparse.Namespace) -> TokenCommand:
    return TokenCommand(action="list", user=options.user)


def _revoke(options: argparse.Namespace) -> TokenCommand:
    return TokenCommand(action="revoke", user=options.user, token=options.token)


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text} is no amount of dollars") from None


def _day(text: str) -> datetime:
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), datetime.min.time(), UTC).replace(tzinfo=None)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day such as 2027-01-31") from None
