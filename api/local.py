"""What the command line asks a running server for: commands signed with the installation's secret, from loopback."""

from __future__ import annotations

import asyncio
import ipaddress
from functools import partial

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.caller import body_as
from api.errors import ApiError
from core.accounts.token_commands import read_signed, run_command
from core.bootstrap import Services
from core.errors import AccountError, NotFound

PATH = "/api/local/tokens"


class SignedCommand(BaseModel):
    """The body: one signed text."""

    signed: str


async def tokens(request: Request, *, services: Services) -> Response:
    """Run a token command. Raises ApiError (400, 403, 404)."""
    # Of anybody else not even the body is read.
    body = await body_as(request, SignedCommand) if _from_here(request) else None
    command = None if body is None else read_signed(body.signed, secret=services.sign_in.secret)
    if command is None:
        message = "This takes commands signed by `python -m core tokens` on this machine, and nothing else."
        raise ApiError(status=403, message=message, code="not_signed")
    try:
        told = await asyncio.to_thread(partial(run_command, services.database, command))
    except (AccountError, NotFound) as error:
        status = 404 if isinstance(error, NotFound) else 400
        raise ApiError(status=status, message=str(error), code="refused") from error
    return JSONResponse(told.model_dump(), headers={"cache-control": "no-store"})


def _from_here(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
